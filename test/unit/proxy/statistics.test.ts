import { expect } from 'chai';
import { LatencyMonitor } from '../../../proxy/latency-monitor.js';
import { Slowlog } from '../../../proxy/slowlog.js';
import { Histogram, Statistics } from '../../../proxy/statistics.js';

describe('histogram of execution times', () => {
  it('counts cumulatively below powers of two', () => {
    const histogram = new Histogram();
    for (const usec of [1, 1, 3, 4, 100, 1_000_000]) histogram.add(usec);
    expect(histogram.cumulative()).to.deep.equal([
      [1, 2],
      [4, 4],
      [128, 5],
      [1_048_576, 6],
    ]);
  });

  it('tells percentiles to an eighth', () => {
    const histogram = new Histogram();
    for (let usec = 1; usec <= 10_000; usec += 1) histogram.add(usec);
    for (const percent of [50, 99, 99.9]) {
      expect(histogram.percentile(percent)).to.be.within(percent * 100, percent * 100 * 1.125);
    }
  });

  it('takes any duration', () => {
    const histogram = new Histogram();
    for (const usec of [0, -1, 0.5, 2 ** 31, 2 ** 40]) histogram.add(usec);
    expect(histogram.cumulative().at(-1)?.[1]).to.equal(5);
  });
});

describe('error statistics', () => {
  it('count by the first word, and keep a bounded number of kinds', () => {
    const statistics = new Statistics();
    for (let index = 0; index < 1_000; index += 1) statistics.error(`KIND${index} text`);
    statistics.error('KIND1');
    expect(statistics.errorReplies).to.equal(1_001);
    expect(statistics.errors.get('KIND1')).to.equal(2);
    expect(statistics.errors.size).to.equal(128);
  });
});

describe('slow log', () => {
  it('shortens long commands and keeps the newest entries', () => {
    const slowlog = new Slowlog();
    const long = Buffer.alloc(200, 'x');
    for (let index = 0; index < 5; index += 1) {
      slowlog.add(
        Array.from({ length: 40 }, () => long),
        10,
        0,
        'address',
        'name',
        3,
      );
    }
    expect(slowlog.entries.map(({ id }) => id)).to.deep.equal([4, 3, 2]);
    const words = slowlog.entries[0]?.args.map(String) ?? [];
    expect(words).to.have.length(32);
    expect(words[0]).to.equal(`${'x'.repeat(128)}... (72 more bytes)`);
    expect(words[31]).to.equal('... (9 more arguments)');
  });
});

describe('latency monitor', () => {
  it('keeps the worst sample of a second, and the worst of all', () => {
    const monitor = new LatencyMonitor();
    monitor.add('command', 10, 1_000);
    monitor.add('command', 30, 1_900);
    monitor.add('command', 20, 2_000);
    expect(monitor.events.get('command')).to.deep.equal({
      samples: [
        { atS: 1, ms: 30 },
        { atS: 2, ms: 20 },
      ],
      maxMs: 30,
    });
    expect(monitor.reset(['other', 'command'])).to.equal(1);
  });
});
