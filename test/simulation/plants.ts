/**
 * Bugs put into the running code on purpose, to show that the simulator finds them: each breaks one statement of the checklist
 * (docs/internals/protocol.md), by another constructor argument or by a method replaced while the run lasts. Production code
 * knows nothing of this.
 */
import type { MutationLog } from '../../server/log/log.js';
import { VirtualFiles } from '../../server/log/virtual-files.js';
import { Executor } from '../../server/execution/executor.js';
import { Sessions } from '../../server/execution/sessions.js';
import type { PrepareList } from '../../server/replication/prepare-list.js';
import { Primary } from '../../server/replication/primary.js';
import { Replica } from '../../server/replication/replica.js';
import type { Follower } from '../../server/replication/follower.js';
import { Teaching } from '../../server/partition/teacher.js';
import type { Callback } from '../../server/storage/store.js';
import type { StateChange, StateStore } from '../../meta/store/store.js';
import { timing, type Parts } from './cluster.js';
import type { Wishes } from './plan.js';

export interface Plant {
  readonly name: string;
  /** Of the checklist. */
  readonly statement: number;
  readonly parts?: Partial<Parts>;
  /** Puts it in place; the result takes it out. */
  readonly patch?: () => () => void;
  /** Where it shows soonest. */
  readonly wishes: Wishes;
  /** It takes a minute or more: not part of `npm test`. */
  readonly rare?: true;
  /** It is found within this many seeds, from seed 1 on. */
  readonly seeds: number;
}

type Method = (this: never, ...args: never[]) => unknown;

/** Replaces a method, private ones too, until the result is called. */
function replace(owner: { prototype: object }, name: string, make: (original: Method) => Method): () => void {
  const prototype = owner.prototype as Record<string, Method>;
  const original = prototype[name];
  if (original === undefined) throw new Error(`there is no method ${name} to replace`);
  prototype[name] = make(original);
  return () => {
    prototype[name] = original;
  };
}

/** What a primary has inside, as far as plants touch it. */
interface Inside {
  required: Follower[];
  reconciled: boolean;
  state: { ballot: number };
}

export const plants: readonly Plant[] = [
  {
    name: 'acknowledge-before-log',
    statement: 7,
    parts: {
      log: (log, environment) => ({
        ...forwarding(log),
        append: (record, done) => {
          environment.defer(() => done(null));
          log.append(record, () => undefined);
        },
      }),
    },
    wishes: { faultMs: 5_000 },
    seeds: 2,
  },
  {
    name: 'read-without-lease',
    statement: 1,
    patch: () => replace(Primary, 'holdsLease', () => () => true),
    wishes: { only: ['freeze', 'isolate', 'one-way', 'split'], faultMs: 20_000 },
    seeds: 10,
  },
  {
    name: 'learner-counts-early',
    statement: 16,
    patch: () =>
      replace(
        Primary,
        'learnerToPropose',
        () =>
          function (this: { followers: Map<string, Follower> }) {
            return [...this.followers.values()].find(({ attempt }) => attempt !== 0) ?? null;
          },
      ),
    wishes: { only: ['kill', 'wipe'], faultMs: 15_000 },
    seeds: 5,
  },
  {
    name: 'ballot-forgotten',
    statement: 9,
    patch: () =>
      replace(
        Replica,
        'recovered',
        (original) =>
          function (this: Inside, _ballot: number, list: PrepareList) {
            original.call(this as never, 0 as never, list as never);
            this.state.ballot = 0;
          },
      ),
    wishes: { only: ['kill'], faultMs: 10_000 },
    seeds: 5,
  },
  {
    name: 'no-deduplication',
    statement: 18,
    patch: () => replace(Executor, 'isSettled', () => () => false),
    wishes: { only: ['break', 'flap', 'kill'], faultMs: 15_000 },
    seeds: 15,
  },
  {
    name: 'given-up-executed',
    statement: 19,
    patch: () =>
      replace(
        Sessions,
        'settle',
        (original) =>
          function (this: Sessions, id: number, _fence: number, answered: never) {
            return original.call(this as never, id as never, 0 as never, answered);
          },
      ),
    wishes: { only: ['freeze', 'slow-link', 'one-way', 'split'], faultMs: 30_000 },
    rare: true,
    seeds: 150,
  },
  {
    name: 'sync-failure-ignored',
    statement: 8,
    patch: () =>
      replace(
        VirtualFiles,
        'perform',
        (original) =>
          function (this: VirtualFiles, ...args: unknown[]) {
            const [operation, , , done] = args as [string, string, number, Callback<unknown>];
            if (operation === 'sync') args[3] = (_error: Error | null, value?: unknown) => done(null, value);
            original.apply(this as never, args as never);
          },
      ),
    wishes: { only: ['io-error', 'blackout', 'power'], fsync: 'always', faultMs: 20_000 },
    seeds: 40,
  },
  {
    name: 'commit-without-a-member',
    statement: 6,
    patch: () =>
      replace(
        Primary,
        'setRequired',
        (original) =>
          function (this: Inside) {
            original.call(this as never);
            this.required.pop();
          },
      ),
    wishes: { faultMs: 5_000 },
    seeds: 2,
  },
  {
    name: 'snapshot-one-short',
    statement: 21,
    patch: () =>
      replace(
        Teaching,
        'sendPlan',
        (original) =>
          function (this: Teaching, lesson: { snapshotDecree: number }) {
            const said =
              lesson.snapshotDecree === 0 ? lesson : { ...lesson, snapshotDecree: lesson.snapshotDecree + 1 };
            original.call(this as never, said as never);
          },
      ),
    wishes: { only: ['wipe', 'kill'], faultMs: 10_000, given: { faultEveryMs: 1_500 } },
    seeds: 10,
  },
  {
    name: 'serves-before-ballot-start',
    statement: 13,
    patch: () =>
      replace(
        Primary,
        'maybeServe',
        (original) =>
          function (this: Inside, nowMs: number) {
            this.reconciled = true;
            original.call(this as never, nowMs as never);
          },
      ),
    wishes: { only: ['kill', 'freeze', 'slow-disk'], faultMs: 15_000 },
    seeds: 5,
  },
  {
    name: 'lease-from-acknowledgement',
    statement: 3,
    patch: () =>
      replace(
        Replica,
        'onBeaconAck',
        (original) =>
          function (this: Replica, ...args: unknown[]) {
            args[2] = args[3];
            original.apply(this as never, args as never);
          },
      ),
    wishes: { only: ['slow-link', 'freeze', 'one-way', 'isolate'], faultMs: 30_000 },
    rare: true,
    seeds: 100,
  },
  {
    name: 'grace-shorter-than-lease',
    statement: 3,
    parts: { timing: { ...timing, graceMs: 1_500 } },
    wishes: { only: ['one-way', 'isolate', 'split', 'deaf'], faultMs: 20_000 },
    seeds: 20,
  },
  {
    name: 'meta-tells-before-it-persists',
    statement: 12,
    parts: {
      metaStore: (store, environment): StateStore => ({
        load: (done) => store.load(done),
        close: (done) => store.close(done),
        write: (changes: readonly StateChange[], done) => {
          environment.defer(() => done(null));
          environment.after(20, () => store.write(changes, () => undefined));
        },
      }),
    },
    wishes: { faultMs: 5_000 },
    seeds: 2,
  },
];

/** A log's methods, to replace some of them. */
function forwarding(log: MutationLog): MutationLog {
  return {
    append: (...of) => log.append(...of),
    get syncsWrites() {
      return log.syncsWrites;
    },
    get pendingBytes() {
      return log.pendingBytes;
    },
    read: (...of) => log.read(...of),
    release: (...of) => log.release(...of),
    forget: (...of) => log.forget(...of),
    segments: () => log.segments(),
    sync: (done) => log.sync(done),
    close: (done) => log.close(done),
  };
}

export function plantNamed(name: string): Plant {
  const plant = plants.find((each) => each.name === name);
  if (plant === undefined)
    throw new Error(`no planted bug is named ${name}: ${plants.map((each) => each.name).join(', ')}`);
  return plant;
}
