/** BullMQ: every step of a job is one of its Lua scripts; workers wait with BZPOPMIN, listeners with XREAD BLOCK. */
import { type Job, FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { expect } from 'chai';
import { eventually } from '../cluster/condition.js';
import { afterwards } from './connections.js';

export function bullmqPrograms(port: () => number): void {
  describe('BullMQ', () => {
    const connection = (): { host: string; port: number; maxRetriesPerRequest: null } => ({
      host: '127.0.0.1',
      port: port(),
      maxRetriesPerRequest: null,
    });

    it('does every job once: at once, in bulk, delayed, by priority, again after a failure', async () => {
      const queue = new Queue('work', { connection: connection() });
      afterwards(() => queue.close());
      const events = new QueueEvents('work', { connection: connection() });
      afterwards(() => events.close());
      await events.waitUntilReady();
      const done = new Map<string, number>();
      const attempts = new Map<string, number>();
      const told: string[] = [];
      events.on('completed', ({ jobId }) => told.push(jobId));
      const worker = new Worker(
        'work',
        async (job: Job<{ failures?: number }>) => {
          const id = String(job.id);
          attempts.set(id, (attempts.get(id) ?? 0) + 1);
          if (job.attemptsMade < (job.data.failures ?? 0)) throw new Error('not yet');
          await job.updateProgress(50);
          await job.log('half way');
          done.set(id, (done.get(id) ?? 0) + 1);
          return { doubled: 2 * (job.data.failures ?? 0) };
        },
        { connection: connection(), concurrency: 4 },
      );
      afterwards(() => worker.close(true));
      const jobs = await queue.addBulk(Array.from({ length: 50 }, (_, i) => ({ name: `job ${i}`, data: { i } })));
      jobs.push(await queue.add('later', {}, { delay: 100 }));
      jobs.push(await queue.add('first', {}, { priority: 1 }), await queue.add('last', {}, { priority: 10 }));
      const stubborn = await queue.add(
        'stubborn',
        { failures: 2 },
        { attempts: 3, backoff: { type: 'fixed', delay: 20 } },
      );
      const hopeless = await queue.add('hopeless', { failures: 9 }, { attempts: 2 });
      jobs.push(stubborn);
      expect(await stubborn.waitUntilFinished(events, 30_000)).to.deep.equal({ doubled: 4 });
      await eventually('all jobs are over', async () => {
        const { completed, failed } = await queue.getJobCounts('completed', 'failed');
        return completed === jobs.length && failed === 1 ? true : undefined;
      });
      await eventually('all are told of', () => (told.length === jobs.length ? true : undefined));
      expect([...done.values()].every((times) => times === 1)).to.equal(true);
      expect([...done.keys()].sort()).to.deep.equal(jobs.map(({ id }) => String(id)).sort());
      expect(attempts.get(String(stubborn.id))).to.equal(3);
      expect(await hopeless.getState()).to.equal('failed');
      expect((await queue.getJobLogs(String(stubborn.id))).logs).to.include('half way');
      await worker.close();
      await queue.obliterate({ force: true });
      expect(await queue.getJobCounts('completed', 'failed')).to.deep.equal({ completed: 0, failed: 0 });
    });

    it('finishes a parent after its children, and stops and goes on', async () => {
      const worker = new Worker(
        'flow',
        async (job: Job<{ own: number }>) => {
          const children = Object.values(await job.getChildrenValues<number>());
          return children.reduce((sum, value) => sum + value, job.data.own);
        },
        { connection: connection() },
      );
      const queue = new Queue('flow', { connection: connection() });
      const flows = new FlowProducer({ connection: connection() });
      afterwards(() => Promise.all([worker.close(true), queue.close(), flows.close()]));
      await queue.pause();
      const { job } = await flows.add({
        name: 'parent',
        queueName: 'flow',
        data: { own: 1 },
        children: [10, 100].map((own) => ({ name: 'child', queueName: 'flow', data: { own } })),
      });
      expect(await job.getState()).to.equal('waiting-children');
      await queue.resume();
      await eventually('the parent is done', async () => ((await job.getState()) === 'completed' ? true : undefined));
      expect((await queue.getJob(String(job.id)))?.returnvalue).to.equal(111);
      await worker.close();
      await queue.obliterate({ force: true });
    });
  });
}
