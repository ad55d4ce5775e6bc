import { expect } from 'chai';
import { connect } from '../../../shared/client/index.js';
import { freePort } from '../../cluster/sockets.js';

describe('connecting a native client', () => {
  const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'connected',
      (error: { code?: unknown }) => error.code,
    );

  it('is refused for what is no address', async () => {
    for (const meta of [[], ['localhost'], ['a:1', 'b:2'], [':1']]) {
      expect(await codeOf(connect({ meta })), meta.join()).to.equal('E_ARGUMENT');
    }
  });

  it('fails by its deadline where nobody listens', async () => {
    const port = await freePort();
    expect(await codeOf(connect({ meta: [`127.0.0.1:${port}`], deadlineMs: 200 }))).to.equal('E_META');
  });
});
