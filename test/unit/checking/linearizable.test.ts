import { expect } from 'chai';
import { checkHistory } from '../../checking/check.js';
import { search } from '../../checking/linearizable.js';
import { corrupt, generator, linearizableByBruteForce, pick, randomHistory, type Shape } from './random-history.js';

const OPTIONS = { budget: 1_000_000, clockSkewMs: 0 };

type Draw = Shape['draw'];

const onKeys: Record<string, Draw> = {
  strings: (random, turn) =>
    pick(random, [
      ['SET', 'k', `<${turn}>`],
      ['SET', 'k', 'same'],
      ['SET', 'k', `<${turn}>`, 'NX'],
      ['GET', 'k'],
      ['GETSET', 'k', `<${turn}>`],
      ['APPEND', 'k', `<${turn}>`],
      ['DEL', 'k'],
      ['GETDEL', 'k'],
      ['STRLEN', 'k'],
    ]),
  counters: (random) =>
    pick(random, [
      ['INCR', 'n'],
      ['INCRBY', 'n', '2'],
      ['GET', 'n'],
      ['DEL', 'n'],
    ]),
  lists: (random, turn) =>
    pick(random, [
      ['RPUSH', 'l', `<${turn}>`],
      ['LPUSH', 'l', `<${turn}>`],
      ['RPUSH', 'l', 'same'],
      ['LPOP', 'l'],
      ['RPOP', 'l'],
      ['LRANGE', 'l', '0', '-1'],
      ['LMOVE', 'l', 'm', 'LEFT', 'RIGHT'],
      ['LREM', 'l', '0', 'same'],
    ]),
  sets: (random, turn) =>
    pick(random, [
      ['SADD', 's', 'a', `<${turn}>`],
      ['SADD', 's', 'b'],
      ['SREM', 's', 'a'],
      ['SISMEMBER', 's', 'a'],
      ['SCARD', 's'],
      ['SMOVE', 's', 't', 'a'],
      ['SCARD', 't'],
    ]),
  'several keys': (random, turn) =>
    pick(random, [
      ['MSET', 'a', `<${turn}>`, 'b', `<${turn}>`],
      ['MGET', 'a', 'b'],
      ['RENAME', 'a', 'b'],
      ['COPY', 'a', 'b', 'REPLACE'],
      ['SET', 'a', `<${turn}>`],
      ['GET', 'b'],
      ['FLUSHDB'],
    ]),
};

describe('the linearizability checker', () => {
  for (const [name, draw] of Object.entries(onKeys)) {
    it(`agrees with trying every order, on ${name}`, () => {
      const random = generator(name.length);
      const verdicts = { linearizable: 0, violation: 0 };
      for (let run = 0; run < 1_200; run++) {
        const shape = { operations: 3 + (run % 5), clients: 2 + (run % 3), unknown: 0.25, draw };
        const history = randomHistory(random, shape);
        const judged = run % 2 === 0 ? history : corrupt(random, history);
        const expected = linearizableByBruteForce(judged) ? 'linearizable' : 'violation';
        const { verdict } = search(judged, OPTIONS);
        if (verdict !== expected) throw new Error(`${verdict} for ${JSON.stringify(judged)}`);
        if (run % 2 === 0) expect(expected).to.equal('linearizable');
        verdicts[expected] += 1;
      }
      expect(verdicts.linearizable).to.be.greaterThan(600);
      expect(verdicts.violation).to.be.greaterThan(60);
    });
  }

  it('judges thousands of operations on one key, dozens of unknown outcome, in seconds', () => {
    for (const [name, draw] of Object.entries(onKeys)) {
      const random = generator(99);
      const history = randomHistory(random, { operations: 2_000, clients: 10, unknown: 0.03, draw });
      const started = performance.now();
      const { failures } = checkHistory(history, OPTIONS);
      expect(
        failures.map(({ explanation }) => explanation),
        name,
      ).to.deep.equal([]);
      expect(performance.now() - started, name).to.be.lessThan(20_000);
    }
  });

  it('says so when its budget is spent, and never passes such a history', () => {
    const random = generator(5);
    const history = randomHistory(random, { operations: 200, clients: 5, unknown: 0, draw: onKeys['lists']! });
    const [failure] = checkHistory(history, { budget: 50 }).failures;
    expect(failure?.kind).to.equal('undecided');
    expect(failure?.explanation).to.include('undecided after 50 steps');
  });
});
