import { expect } from 'chai';
import type { ClusterView, UserChange } from '../../../shared/cluster.js';
import { Kind, type UsersChangedMessage } from '../../../shared/wire/messages.js';
import { MetaHarness } from './harness.js';

const proxy = { node: 'p', boot: 'p1', role: 'proxy' } as const;

/** What meta answers, and what it told before that. */
function change(meta: MetaHarness, wanted: UserChange): { error: string; count: number; told: ClusterView['users'] } {
  meta.network.onMessage(proxy, [Kind.changeUsers, 5, wanted]);
  meta.time.advance(5);
  const sent = meta.network.sent.filter(({ to }) => to === 'p').map(({ message }) => message);
  const at = sent.findIndex(([kind]) => kind === Kind.usersChanged);
  const [, id, error, count] = sent[at] as UsersChangedMessage;
  expect(id).to.equal(5);
  const views = sent.slice(0, at).filter(([kind]) => kind === Kind.view);
  meta.network.sent.length = 0;
  return { error, count, told: views.flatMap(([, view]) => (view as ClusterView).users ?? []) };
}

const set = (name: string, modifiers: readonly string[], base?: readonly string[]): UserChange => ({
  kind: 'set',
  name,
  modifiers,
  allChannels: false,
  ...(base === undefined ? {} : { base }),
});

describe('users at meta', () => {
  let meta: MetaHarness;

  beforeEach(() => {
    meta = new MetaHarness();
    meta.register('p', 'p1', [], { role: 'proxy' });
    meta.network.sent.length = 0;
  });

  it('are told to everybody before the answer, and are there after a restart', () => {
    const rules = ['on', 'nopass', '~a*', 'resetchannels', '-@all', '+get'];
    expect(change(meta, set('alice', ['on', 'nopass', '~a*', '+get']))).to.deep.equal({
      error: '',
      count: 1,
      told: [['alice', rules]],
    });
    meta.restart();
    meta.register('p', 'p2', [], { role: 'proxy' });
    expect(meta.views('p').flatMap(({ users }) => users ?? [])).to.deep.equal([['alice', rules]]);
  });

  it('are not told of before they are durable', () => {
    meta.network.onMessage(proxy, [Kind.changeUsers, 1, set('alice', ['on'])]);
    expect(meta.network.sent.filter(({ to }) => to === 'p')).to.deep.equal([]);
    meta.time.advance(5);
    expect(meta.rows.has('user/alice')).to.equal(true);
    expect(meta.network.sent.filter(({ to }) => to === 'p')).to.have.length(2);
  });

  it('are changed from what meta has, whatever two proxies knew', () => {
    change(meta, set('alice', ['+get']));
    expect(change(meta, set('alice', ['+set'])).told).to.deep.equal([
      ['alice', ['off', 'resetchannels', '-@all', '+get', '+set']],
    ]);
  });

  it('keep the default user as start-up gave it to the proxy that changes it first', () => {
    const base = ['on', '#' + 'a'.repeat(64), '~*', '&*', '+@all'];
    expect(change(meta, set('default', ['-debug'], base)).told).to.deep.equal([['default', [...base, '-debug']]]);
    expect(change(meta, set('default', ['+debug'], ['off'])).told).to.deep.equal([['default', base]]);
  });

  it('do not change by what makes no sense, and the default user stays', () => {
    expect(change(meta, set('alice', ['on', '+nosuch']))).to.deep.equal({
      error: "ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL",
      count: 0,
      told: [],
    });
    expect(change(meta, { kind: 'delete', names: ['alice', 'default'] }).error).to.equal(
      "ERR The 'default' user cannot be removed",
    );
    expect(meta.rows.size).to.equal(0);
  });

  it('are deleted for good', () => {
    change(meta, set('alice', ['on']));
    expect(change(meta, { kind: 'delete', names: ['alice', 'bob'] })).to.deep.equal({
      error: '',
      count: 1,
      told: [['alice', null]],
    });
    meta.restart();
    meta.register('p', 'p2', [], { role: 'proxy' });
    expect(meta.views('p').flatMap(({ users }) => users ?? [])).to.deep.equal([]);
  });
});
