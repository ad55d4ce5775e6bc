/** A proxy that starts while meta is away: how long its clients wait to be told whether they may come in. */
import { expect } from 'chai';
import { Users } from '../../../proxy/users.js';
import { limits } from '../../../shared/limits.js';
import { ManualEnvironment } from '../execution/primary.js';

describe('users that meta has not told of yet', () => {
  it('are waited for by the first clients together, and by nobody who comes when that was in vain', () => {
    const environment = new ManualEnvironment();
    const users = new Users(environment, '');
    const done: string[] = [];
    users.whenKnown(() => done.push('first'));
    environment.nowMs += limits.usersUnknownMs / 2;
    users.whenKnown(() => done.push('second'));
    expect(done).to.deep.equal([]);
    environment.nowMs += limits.usersUnknownMs / 2;
    environment.fire();
    environment.fire();
    users.whenKnown(() => done.push('late'));
    expect(done).to.deep.equal(['first', 'second', 'late']);
  });

  it('are known once meta tells, to those who wait', () => {
    const users = new Users(new ManualEnvironment(), '');
    let told = 0;
    users.whenKnown(() => (told += 1));
    users.onView({ full: true, users: [] } as unknown as Parameters<Users['onView']>[0]);
    expect(users.known).to.equal(true);
    expect(told).to.equal(1);
  });
});
