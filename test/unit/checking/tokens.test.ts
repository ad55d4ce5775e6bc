/** The checks in linear time against the exact one: neither may pass what the other finds. */
import { expect } from 'chai';
import { checkHistory } from '../../checking/check.js';
import type { Operation } from '../../checking/history.js';
import { checkCounter, checkTokens } from '../../checking/tokens.js';
import { corrupt, generator, pick, randomHistory, type Shape } from './random-history.js';

interface Subject {
  readonly draw: Shape['draw'];
  readonly final: string[];
  readonly check: (operations: readonly Operation[]) => string[];
  /** How many of the violations it must find. */
  readonly finds: number;
}

const subjects: Record<string, Subject> = {
  APPEND: {
    draw: (random, turn) => (random() < 0.6 ? ['APPEND', 'k', `<${turn}>`] : ['GET', 'k']),
    final: ['GET', 'k'],
    check: (operations) => checkTokens('k', operations),
    finds: 0.8,
  },
  RPUSH: {
    draw: (random, turn) => (random() < 0.6 ? ['RPUSH', 'k', `<${turn}>`] : ['LRANGE', 'k', '0', '-1']),
    final: ['LRANGE', 'k', '0', '-1'],
    check: (operations) => checkTokens('k', operations),
    finds: 0.8,
  },
  counters: {
    draw: (random) =>
      pick(random, [
        ['INCR', 'k'],
        ['INCRBY', 'k', '3'],
        ['GET', 'k'],
      ]),
    final: ['GET', 'k'],
    check: (operations) => checkCounter('k', operations),
    finds: 0.6,
  },
};

describe('the checks in linear time', () => {
  for (const [name, { draw, final, check, finds }] of Object.entries(subjects)) {
    it(`pass every linearizable history of ${name} and find what a corrupted one shows`, () => {
      const random = generator(3);
      let found = 0;
      let violations = 0;
      for (let run = 0; run < 400; run++) {
        // Alone at the end, one reads everything.
        const shape = { operations: 12, clients: 3, unknown: 0.1, draw };
        const last =
          (turn: number): Shape['draw'] =>
          (inner) =>
            turn === 0 ? final : draw(inner, turn);
        const history = randomHistory(random, { ...shape, draw: (inner, turn) => last(11 - turn)(inner, turn) });
        expect(check(history)).to.deep.equal([]);
        const judged = corrupt(random, history);
        const exact = checkHistory(judged).failures.length > 0;
        const cheap = check(judged).length > 0;
        if (cheap) expect(exact, JSON.stringify(judged)).to.equal(true);
        if (exact) violations += 1;
        if (cheap) found += 1;
      }
      expect(violations).to.be.greaterThan(100);
      expect(found).to.be.greaterThan(finds * violations);
    });
  }

  it('judge a hundred thousand operations at once', () => {
    const { draw } = subjects['counters']!;
    const history = randomHistory(generator(1), { operations: 100_000, clients: 10, unknown: 0.01, draw });
    expect(checkCounter('k', history)).to.deep.equal([]);
  });
});
