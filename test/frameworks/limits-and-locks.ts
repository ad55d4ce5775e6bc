/** rate-limiter-flexible counts with a script or with MULTI; redlock locks with SET NX and scripts that compare. */
import { expect } from 'chai';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import Redlock from 'redlock';
import { eventually } from '../cluster/condition.js';
import { ioredis } from './connections.js';

export function limiterPrograms(port: () => number): void {
  describe('rate-limiter-flexible', () => {
    it('lets so many through, exactly, however many come at once', async () => {
      const client = ioredis(port());
      const limiter = new RateLimiterRedis({ storeClient: client, keyPrefix: 'rate', points: 10, duration: 100 });
      const outcomes = await Promise.allSettled(Array.from({ length: 25 }, () => limiter.consume('somebody')));
      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).to.equal(10);
      const refused = outcomes.find((outcome) => outcome.status === 'rejected');
      expect(refused?.reason).to.be.instanceOf(RateLimiterRes);
      expect((await limiter.get('somebody'))?.remainingPoints).to.equal(0);
      expect((await limiter.consume('another')).remainingPoints).to.equal(9);
      await limiter.reward('somebody', 20);
      expect((await limiter.consume('somebody')).consumedPoints).to.equal(6);
      await limiter.delete('somebody');
      expect(await limiter.get('somebody')).to.equal(null);
      await client.quit();
    });

    it('begins anew after a while', async () => {
      const client = ioredis(port());
      const limiter = new RateLimiterRedis({ storeClient: client, keyPrefix: 'short', points: 1, duration: 1 });
      await limiter.consume('k');
      const again = await eventually('it is let through again', async () => {
        const [outcome] = await Promise.allSettled([limiter.consume('k')]);
        return outcome.status === 'fulfilled' ? outcome.value : undefined;
      });
      expect(again.remainingPoints).to.equal(0);
      await client.quit();
    });
  });

  describe('redlock', () => {
    it('gives a lock to one at a time, which may keep it longer', async () => {
      const client = ioredis(port());
      const patient = new Redlock([client], { retryCount: 200, retryDelay: 10, retryJitter: 5 });
      const impatient = new Redlock([client], { retryCount: 0 });
      const lock = await patient.lock('lock', 30_000);
      const refused = await Promise.allSettled([impatient.lock('lock', 1_000)]);
      expect(refused[0].status).to.equal('rejected');
      const longer = await lock.extend(60_000);
      expect(await client.pttl('lock')).to.be.within(50_000, 60_000);
      await longer.unlock();
      const holders = { now: 0, most: 0, total: 0 };
      const hold = async (): Promise<void> => {
        const held = await patient.lock('lock', 30_000);
        holders.now++;
        holders.total++;
        holders.most = Math.max(holders.most, holders.now);
        await client.incr('something');
        holders.now--;
        await held.unlock();
      };
      await Promise.all(Array.from({ length: 5 }, hold));
      expect(holders).to.deep.equal({ now: 0, most: 1, total: 5 });
      await client.quit();
    });
  });
}
