import { expect } from 'chai';
import type { Environment } from '../../../shared/environment.js';
import { UserChanges } from '../../../shared/routing/user-changes.js';
import { Kind, type Message } from '../../../shared/wire/messages.js';

const wanted = { kind: 'delete', names: ['alice'] } as const;

describe('a change of users', () => {
  let sent: Message[];
  let reachable: boolean;
  let expire: () => void;
  let told: [error: string | null, count: number][];
  let changes: UserChanges;

  beforeEach(() => {
    sent = [];
    told = [];
    reachable = true;
    const environment = {
      after: (_ms: number, run: () => void) => {
        expire = run;
        return { cancel: () => undefined };
      },
    } as unknown as Environment;
    changes = new UserChanges(environment, (message) => {
      if (reachable) sent.push(message);
      return reachable;
    });
    reachable = true;
  });

  const ask = (): void => changes.ask(wanted, (error, count) => told.push([error, count]));

  it('is answered when meta has answered, once', () => {
    ask();
    ask();
    expect(sent).to.deep.equal([
      [Kind.changeUsers, 1, wanted],
      [Kind.changeUsers, 2, wanted],
    ]);
    changes.onAnswer([42, 2, 'ERR no', 0]);
    changes.onAnswer([42, 1, '', 1]);
    changes.onAnswer([42, 1, '', 1]);
    expect(told).to.deep.equal([
      ['ERR no', 0],
      [null, 1],
    ]);
  });

  it('is certainly not made when meta cannot be reached', () => {
    reachable = false;
    ask();
    expect(told[0]?.[0]).to.match(/^ERR not executed: /);
  });

  it('may have been made when the answer does not come', () => {
    ask();
    changes.onDisconnected();
    ask();
    expire();
    expect(told).to.have.length(2);
    for (const [error] of told) expect(error).to.match(/^UNKNOWN /);
  });
});
