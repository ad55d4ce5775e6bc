/** What a client that waits is told when its time is over. */
import { expect } from 'chai';
import type { Dispatcher } from '../../../proxy/dispatch.js';
import type { Session } from '../../../proxy/session.js';
import { PendingWait } from '../../../proxy/waiting.js';
import { commands } from '../../../shared/commands/index.js';
import { ErrorReply, NullArrayReply, type Reply } from '../../../shared/commands/reply.js';
import type { OperationResult } from '../../../shared/operations/operation.js';
import type { Request } from '../../../shared/routing/request.js';
import { Status } from '../../../shared/wire/messages.js';

type Entry = ConstructorParameters<typeof PendingWait>[2];

/** A BLPOP whose time is over before it has an answer. */
function timedOut(status: number, value: OperationResult): Reply | undefined {
  let told: Reply | undefined;
  const session = {
    context: { db: 0, resp: 2 },
    silent: false,
    beginWait: () => undefined,
    endWait: () => undefined,
    complete: (_: unknown, reply: Reply) => void (told = reply),
  } as unknown as Session;
  const dispatcher = { finished: () => undefined } as unknown as Dispatcher;
  const around = {
    environment: { after: (_: number, run: () => void) => ({ cancel: () => void run }) },
    router: { endWait: () => undefined },
    clock: { nowMs: 0 },
  } as unknown as ConstructorParameters<typeof PendingWait>[4];
  const entry = { name: 'blpop', command: commands.get('blpop') } as unknown as Entry;
  const pending = new PendingWait(dispatcher, session, entry, [], around);
  pending.start({} as Request, 100);
  pending.stop('timeout');
  pending.onOutcome(status, value);
  return told;
}

describe('a client that waits', () => {
  it('is told that nothing came when that was seen', () => {
    expect(timedOut(Status.ok, null)).to.be.instanceOf(NullArrayReply);
  });

  it('is not told so when nobody looked: its command was not executed (found by seed 13)', () => {
    const reply = timedOut(Status.retry, 'no answer within 2000 ms');
    expect(reply).to.be.instanceOf(ErrorReply);
    expect((reply as ErrorReply).text).to.match(/^ERR not executed/);
  });
});
