import { expect } from 'chai';
import { DiskQueue, Priority } from '../../../server/storage/disk-queue.js';

describe('disk queue', () => {
  /** Starts jobs that end only when told. */
  const harness = (atOnce: number) => {
    const queue = new DiskQueue(atOnce);
    const started: string[] = [];
    const finish = new Map<string, () => void>();
    const add = (name: string, priority: Priority): void =>
      queue.run(priority, (finished) => {
        started.push(name);
        finish.set(name, finished);
      });
    return { queue, started, add, finish: (name: string) => finish.get(name)!() };
  };

  it('lets at most the given number in, and keeps threads free for more urgent jobs', () => {
    const { queue, started, add } = harness(8);
    for (let i = 0; i < 10; i++) add(`background${i}`, Priority.background);
    expect(queue.running).to.equal(2);
    for (let i = 0; i < 10; i++) add(`apply${i}`, Priority.apply);
    expect(queue.running).to.equal(4);
    for (let i = 0; i < 10; i++) add(`read${i}`, Priority.read);
    expect(queue.running).to.equal(6);
    add('write of the log', Priority.log);
    add('sync of the log', Priority.log);
    expect(started.slice(-2)).to.deep.equal(['write of the log', 'sync of the log']);
    add('a third', Priority.log);
    expect(queue.running).to.equal(8);
    expect(queue.waiting).to.equal(8 + 8 + 8 + 1);
  });

  it('starts waiting jobs by urgency, then in order', () => {
    const { started, add, finish } = harness(1);
    add('first', Priority.read);
    add('sweep', Priority.background);
    add('apply', Priority.apply);
    add('read 1', Priority.read);
    add('read 2', Priority.read);
    add('log', Priority.log);
    for (let i = 0; i < 6; i++) finish(started[i]!);
    expect(started).to.deep.equal(['first', 'log', 'read 1', 'read 2', 'apply', 'sweep']);
  });

  it('asserts that a job finishes once', () => {
    const { add, finish } = harness(1);
    add('a', Priority.log);
    finish('a');
    expect(() => finish('a')).to.throw(/finishes once/);
  });
});
