/** XREAD and XREADGROUP that wait at the primary for entries. */
import { expect } from 'chai';
import { flushAll, remove, set } from '../../../shared/operations/codes.js';
import type { Operation, OperationArgument, OperationResult } from '../../../shared/operations/operation.js';
import {
  groupCreate,
  groupDestroy,
  groupRead,
  IdMode,
  type ReadFrom,
  streamAdd,
  streamRead,
} from '../../../shared/operations/streams.js';
import { ID_MIN, parseId } from '../../../shared/stream-ids.js';
import { Status } from '../../../shared/wire/messages.js';
import { bytes, Primary } from './primary.js';

const idOf = (text: string): Buffer => parseId(bytes(text), 0n)!.id;
const add = (key: string, id: string): Operation =>
  streamAdd(bytes(key), { mode: IdMode.whole, id: idOf(id), create: true, trimming: null, nodes: null }, [
    bytes('f'),
    bytes('v'),
  ]);
const read = (from: ReadFrom, ...keys: string[]): Operation =>
  streamRead(
    keys.map((key) => ({ key: bytes(key), from, refusal: null })),
    0,
  );
const readGroup = (key: string, consumer = 'c'): Operation =>
  groupRead([{ key: bytes(key), from: 'new', refusal: null }], {
    group: bytes('g'),
    consumer: bytes(consumer),
    noAck: false,
    count: 0,
  });
const group = (key: string): Operation => groupCreate(bytes(key), bytes('g'), ID_MIN, -1, true, null);

/** Ids by stream. */
const ids = (value: OperationResult): unknown =>
  Array.isArray(value)
    ? Object.fromEntries(
        (value as [Buffer, [string, unknown][]][]).map(([key, entries]) => [String(key), entries.map(([id]) => id)]),
      )
    : value;

const answers = (primary: Primary): [id: number, value: unknown][] =>
  primary.replies.filter(({ status }) => status !== Status.waiting).map(({ id, value }) => [id, ids(value)]);

/** What the request waits on with, as its proxy is told. */
function resumed(primary: Primary, id: number, operation: Operation): Operation {
  const told = primary.replies.find((reply) => reply.id === id && reply.status === Status.waiting);
  return [operation[0], ...((told?.value ?? []) as OperationArgument[])];
}

describe('reading streams with a wait', () => {
  it('goes on from what $ meant at first, each reader by itself', () => {
    const primary = new Primary();
    primary.send(add('s', '5-0'));
    const first = primary.send(read('last', 's', 't'), { connection: 2, waits: true });
    primary.send(add('s', '6-0'));
    const second = primary.send(read('last', 's'), { connection: 3, waits: true });
    primary.turn();
    const last = primary.send(add('s', '7-0'));
    primary.turn().commit();
    const told = new Map(answers(primary));
    expect(told.get(first)).to.deep.equal({ s: ['6-0'] });
    expect(told.get(second)).to.deep.equal({ s: ['7-0'] });
    expect(told.get(last)).to.equal('7-0');
  });

  it('keeps what $ meant through a failover, once everything that it depends on is committed', () => {
    const primary = new Primary();
    primary.send(add('s', '5-0'));
    const waits = read('last', 's');
    const id = primary.send(waits, { connection: 2, waits: true });
    primary.turn();
    expect(
      primary.replies.some(({ status }) => status === Status.waiting),
      'the entry it is behind may still be lost',
    ).to.equal(false);
    primary.commit();
    const again = resumed(primary, id, waits);
    primary.send(add('s', '6-0'));
    const { mutations } = primary.turn().commit();
    const successor = new Primary({ committed: mutations.slice(0, 1) });
    successor.send(add('s', '6-1'), { connection: 9 });
    const repeated = successor.send(again, { connection: 2, sequence: 1, waits: true });
    successor.turn().commit();
    expect(new Map(answers(successor)).get(repeated)).to.deep.equal({ s: ['6-1'] });
  });

  it('passes over what has become something else, and what was added and removed at once', () => {
    const primary = new Primary();
    const id = primary.send(read('last', 'a', 'b'), { connection: 2, waits: true });
    primary.turn();
    primary.send(set(bytes('a'), bytes('text')));
    primary.turn().commit();
    primary.send(add('b', '1-0'));
    primary.turn().commit();
    expect(new Map(answers(primary)).get(id)).to.deep.equal({ b: ['1-0'] });
  });

  it('gives new entries to one consumer of a group, in the order of coming, and to every group', () => {
    const primary = new Primary();
    primary.send(group('s'));
    const [first, second] = ['a', 'b'].map((consumer, i) =>
      primary.send(readGroup('s', consumer), { connection: 2 + i, waits: true }),
    ) as [number, number];
    const reader = primary.send(read('last', 's'), { connection: 9, waits: true });
    primary.turn();
    primary.send(add('s', '1-0'));
    primary.turn().commit();
    let told = new Map(answers(primary));
    expect([told.get(first), told.get(second), told.get(reader)]).to.deep.equal([
      { s: ['1-0'] },
      undefined,
      { s: ['1-0'] },
    ]);
    primary.send(add('s', '2-0'));
    primary.turn().commit();
    told = new Map(answers(primary));
    expect(told.get(second)).to.deep.equal({ s: ['2-0'] });
  });

  const GONE = 'UNBLOCKED the stream key no longer exists';
  const endings: [what: string, operation: Operation, error: string][] = [
    ['its stream is removed', remove([bytes('s')]), GONE],
    ['its stream becomes a string', set(bytes('s'), bytes('text')), GONE],
    ['everything is removed', flushAll(), GONE],
    [
      'its group is destroyed',
      groupDestroy(bytes('s'), bytes('g')),
      'NOGROUP the consumer group this client was blocked on no longer exists',
    ],
  ];
  for (const [what, operation, error] of endings) {
    it(`ends with an error within a group when ${what}, behind others that wait for the row, too`, () => {
      const primary = new Primary();
      primary.send(group('s'));
      const reader = primary.send(read('last', 's'), { connection: 2, waits: true });
      const consumer = primary.send(readGroup('s'), { connection: 3, waits: true });
      primary.turn();
      primary.send(operation);
      primary.turn().commit();
      const told = new Map(answers(primary));
      expect(told.get(consumer)).to.equal(error);
      expect(told.get(reader)).to.equal(undefined);
    });
  }

  it('lets those behind a consumer that still reads from disk be served', () => {
    const primary = new Primary({ slowFetches: true });
    primary.send(group('s'));
    const readers = [2, 3].map((connection) => primary.send(read('last', 's'), { connection, waits: true }));
    const consumer = primary.send(readGroup('s'), { connection: 4, waits: true });
    primary.turn().commit();
    primary.send(add('s', '1-0'));
    primary.turn();
    while (primary.fetching > 0) primary.fetched();
    primary.turn().commit();
    const told = new Map(answers(primary));
    for (const id of [...readers, consumer]) expect(told.get(id)).to.deep.equal({ s: ['1-0'] });
  });
});
