/** DEBUG POPULATE: many keys at once, for tests. Keys that exist stay as they are. */
import { at, integerWithin } from '../../shared/commands/arguments.js';
import { OK } from '../../shared/commands/reply.js';
import { set, SetFlag } from '../../shared/operations/codes.js';
import { slotOf } from '../../shared/slots.js';
import { Status } from '../../shared/wire/messages.js';
import { LATER, type Call } from '../context.js';
import { outcomeError } from '../pending.js';

/** Under way at once: enough to fill batches, few enough to leave room for others. */
const WINDOW = 1_000;
const COUNT_MAX = 100_000_000;

function valueOf(index: number, size: number): Buffer {
  const text = Buffer.from(`value:${index}`);
  if (size < 0) return text;
  const value = Buffer.alloc(size);
  text.copy(value, 0, 0, Math.min(size, text.length));
  return value;
}

export function populate(call: Call): typeof LATER {
  const { proxy, session, args } = call;
  const total = integerWithin(at(args, 1), 0, COUNT_MAX);
  const prefix = args[2]?.toString('latin1') ?? 'key';
  const size = args[3] === undefined ? -1 : integerWithin(args[3], 0, 1 << 29);
  const finish = call.later();
  let next = 0;
  let answered = 0;
  let executed = 0;
  let ended = false;
  const send = (): void => {
    const key = Buffer.from(`${prefix}:${next}`, 'latin1');
    const operation = set(key, valueOf(next, size), SetFlag.ifAbsent);
    next += 1;
    proxy.router.submit(proxy.table, slotOf(key), session.routed, session.database, operation, { onOutcome });
  };
  const onOutcome = (status: number, value: unknown): void => {
    answered += 1;
    if (status === Status.ok) executed += 1;
    if (ended) return;
    if (status !== Status.ok) {
      ended = true;
      // as a fan-out that half executed: what is there stays
      const all = executed === 0 && next === 1;
      return finish(outcomeError(all ? status : Status.unknown, `${all ? '' : 'executed in part: '}${String(value)}`));
    }
    if (answered === total) finish(OK);
    else if (next < total) send();
  };
  if (total === 0) finish(OK);
  while (next < Math.min(total, WINDOW)) send();
  return LATER;
}
