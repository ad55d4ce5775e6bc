/** What a primary counts for INFO: each run of a script once, each error once, each row that expired. */
import { expect } from 'chai';
import { PointReads } from '../../../server/execution/point-reads.js';
import { shaOf } from '../../../shared/commands/scripting.js';
import { expire, Expiry, get, set } from '../../../shared/operations/codes.js';
import type { Operation, OperationResult } from '../../../shared/operations/operation.js';
import { loadScript, script } from '../../../shared/operations/scripts.js';
import { resetStatistics, statistics } from '../../../shared/operations/statistics.js';
import { bytes, Primary } from './primary.js';

const context = {
  lfu: false,
  hashLimits: null,
  zsetLimits: null,
  streamNodes: null,
  sketchSparseBytes: null,
  user: null,
  busyAfterMs: 0,
  mayAll: false,
  reports: 0,
};

function run(code: string): Operation {
  const text = bytes(code);
  return script(text, shaOf(text), true, { keys: [bytes('k')], args: [], context });
}

/** Of each command `[name, calls, rejected, failed]`, and of each kind of error how many. */
function called(primary: Primary): { commands: unknown[]; errors: unknown } {
  const [, , , , , commands, errors] = primary.now(statistics()) as readonly OperationResult[];
  const lines = commands as readonly (readonly OperationResult[])[];
  return { commands: lines.map(([name, calls, , ...rest]) => [name, calls, ...rest]), errors };
}

describe('what a primary counts', () => {
  it('are the commands that scripts call, refuse and fail', () => {
    const primary = new Primary();
    primary.now(run('redis.call("set", KEYS[1], 1) redis.call("set", KEYS[1], 2) return redis.call("get", KEYS[1])'));
    primary.now(run('return type(redis.pcall("lpush", KEYS[1], 1)) .. type(redis.pcall("get"))'));
    expect(called(primary)).to.deep.equal({
      commands: [
        ['set', 2, 0, 0],
        ['get', 1, 1, 0],
        ['lpush', 1, 0, 1],
      ],
      errors: [
        ['WRONGTYPE', 1],
        ['ERR', 1],
      ],
    });
  });

  for (const [what, code] of [
    ['is raised', 'return redis.call("lpush", KEYS[1], 1)'],
    ['is returned', 'return redis.pcall("lpush", KEYS[1], 1)'],
  ] as const) {
    it(`leaves an error that ${what} to the proxy, which counts what it answers`, () => {
      const primary = new Primary();
      primary.now(set(bytes('k'), bytes('v')));
      primary.now(run(code));
      expect(called(primary)).to.deep.equal({ commands: [['lpush', 1, 0, 1]], errors: [] });
    });
  }

  it('counts a script once that is begun anew after a fetch', () => {
    class Elsewhere extends PointReads {
      override get here(): boolean {
        return false;
      }
    }
    const primary = new Primary({ reads: new Elsewhere(() => 0) });
    const id = primary.send(run('redis.call("ping") return redis.call("get", KEYS[1])'), { connection: 1 });
    for (primary.turn(); primary.fetching > 0; primary.turn()) primary.fetched();
    primary.commit();
    expect(primary.value(id)).to.equal(null);
    expect(called(primary).commands).to.deep.equal([
      ['ping', 1, 0, 0],
      ['get', 1, 0, 0],
    ]);
  });

  it('are rows that have expired, whoever meets them', () => {
    const primary = new Primary();
    primary.now(set(bytes('a'), bytes('v')));
    primary.now(expire(bytes('a'), Expiry.relative, 5, 0));
    primary.environment.nowMs += 10;
    primary.now(get(bytes('a')));
    primary.now(get(bytes('a')));
    expect((primary.now(statistics()) as readonly OperationResult[])[0]).to.equal(1);
    primary.now(resetStatistics());
    expect((primary.now(statistics()) as readonly OperationResult[])[0]).to.equal(0);
  });

  it('are the scripts that it knows', () => {
    const primary = new Primary();
    primary.now(run('return 1'));
    for (const code of ['return 2', 'return 3']) primary.now(loadScript(bytes(code), shaOf(bytes(code))));
    expect((primary.now(statistics()) as readonly OperationResult[]).slice(1, 5)).to.deep.equal([3, 24, 0, 0]);
  });
});
