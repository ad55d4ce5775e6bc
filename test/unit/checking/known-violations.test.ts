/** What must never be seen, by name; beside each the harmless history that differs from it in one thing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkHistory } from '../../checking/check.js';
import { History, outcomeOf, readHistory, writeHistory, type Operation, type Reply } from '../../checking/history.js';
import { scriptTexts } from '../../checking/models/scripts.js';

/** Client, command, call, return (or null: unknown), reply. */
type Line = [client: string, command: string, callMs: number, returnMs: number | null, reply?: Reply];

function history(lines: readonly Line[]): Operation[] {
  return lines.map(([client, command, callMs, returnMs, reply = null], id) => ({
    id,
    client,
    command: command.split(' '),
    callMs,
    returnMs: returnMs ?? Infinity,
    outcome: returnMs === null ? 'unknown' : outcomeOf(reply),
    reply,
  }));
}

function judge(lines: readonly Line[], clockSkewMs = 10): string {
  const [failure] = checkHistory(history(lines), { clockSkewMs }).failures;
  return failure === undefined ? 'linearizable' : failure.kind;
}

/** Words of the lines are separated by spaces. */
const APPEND_BOTH = JSON.stringify(['EVAL', scriptTexts.appendBoth, '2', 'x', 'y', '1']).replaceAll(' ', '\\u0020');

interface Pair {
  readonly name: string;
  readonly bad: readonly Line[];
  readonly good: readonly Line[];
}

const pairs: readonly Pair[] = [
  {
    name: 'a stale read',
    bad: [
      ['a', 'SET k 1', 0, 1, 'OK'],
      ['a', 'SET k 2', 2, 3, 'OK'],
      ['b', 'GET k', 4, 5, '1'],
    ],
    good: [
      ['a', 'SET k 1', 0, 1, 'OK'],
      ['a', 'SET k 2', 2, 4.5, 'OK'],
      ['b', 'GET k', 4, 5, '1'],
    ],
  },
  {
    name: 'a read that goes back behind another read',
    bad: [
      ['a', 'SET k 1', 0, 9, 'OK'],
      ['b', 'GET k', 1, 2, '1'],
      ['c', 'GET k', 3, 4, null],
    ],
    good: [
      ['a', 'SET k 1', 0, 9, 'OK'],
      ['b', 'GET k', 1, 3.5, '1'],
      ['c', 'GET k', 3, 4, null],
    ],
  },
  {
    name: 'a lost update',
    bad: [
      ['a', 'APPEND k <a>', 0, 3, 3],
      ['b', 'APPEND k <b>', 0, 3, 3],
    ],
    good: [
      ['a', 'APPEND k <a>', 0, 3, 3],
      ['b', 'APPEND k <b>', 0, 3, 6],
    ],
  },
  {
    name: 'an acknowledged write that is gone',
    bad: [
      ['a', 'RPUSH l <a>', 0, 1, 1],
      ['b', 'LRANGE l 0 -1', 2, 3, []],
    ],
    good: [
      ['a', 'RPUSH l <a>', 0, null],
      ['b', 'LRANGE l 0 -1', 2, 3, []],
    ],
  },
  {
    name: 'an increment that took effect twice',
    bad: [
      ['a', 'INCR n', 0, 1, 1],
      ['b', 'GET n', 2, 3, '2'],
    ],
    good: [
      ['a', 'INCR n', 0, 1, 1],
      ['c', 'INCR n', 0, null],
      ['b', 'GET n', 2, 3, '2'],
    ],
  },
  {
    name: 'an APPEND of unknown outcome that took effect twice',
    bad: [
      ['a', 'APPEND k <a>', 0, null],
      ['b', 'GET k', 2, 3, '<a><a>'],
    ],
    good: [
      ['a', 'APPEND k <a>', 0, null],
      ['b', 'GET k', 2, 3, '<a>'],
    ],
  },
  {
    name: 'a refused write that shows up',
    bad: [
      ['a', 'SET k <a>', 0, 1, { error: 'ERR not executed: no primary' }],
      ['b', 'GET k', 2, 3, '<a>'],
    ],
    good: [
      ['a', 'SET k <a>', 0, 1, { error: 'UNKNOWN no answer' }],
      ['b', 'GET k', 2, 3, '<a>'],
    ],
  },
  {
    name: 'a write of unknown outcome that comes and goes',
    bad: [
      ['a', 'SET k <a>', 0, null],
      ['b', 'GET k', 1, 2, '<a>'],
      ['b', 'GET k', 3, 4, null],
    ],
    good: [
      ['a', 'SET k <a>', 0, null],
      ['b', 'GET k', 1, 2, null],
      ['b', 'GET k', 3, 4, '<a>'],
    ],
  },
  {
    name: 'a write that was given up on and overtakes a later one of its connection',
    bad: [
      ['a', 'APPEND k <1>', 0, null],
      ['a', 'APPEND k <2>', 1, 2, 3],
      ['b', 'GET k', 3, 4, '<2><1>'],
    ],
    good: [
      ['a', 'APPEND k <1>', 0, null],
      ['another', 'APPEND k <2>', 1, 2, 3],
      ['b', 'GET k', 3, 4, '<2><1>'],
    ],
  },
  {
    name: 'pipelined writes of one connection in another order',
    bad: [
      ['a', 'RPUSH l <1>', 0, 5, 2],
      ['a', 'RPUSH l <2>', 0, 5, 1],
    ],
    good: [
      ['a', 'RPUSH l <1>', 0, 5, 2],
      ['b', 'RPUSH l <2>', 0, 5, 1],
    ],
  },
  {
    name: 'list elements in another order',
    bad: [
      ['a', 'RPUSH l <1>', 0, 1, 1],
      ['a', 'RPUSH l <2>', 2, 3, 2],
      ['b', 'LRANGE l 0 -1', 4, 5, ['<2>', '<1>']],
    ],
    good: [
      ['a', 'RPUSH l <1>', 0, 1, 1],
      ['a', 'LPUSH l <2>', 2, 3, 2],
      ['b', 'LRANGE l 0 -1', 4, 5, ['<2>', '<1>']],
    ],
  },
  {
    name: 'an element that two clients popped',
    bad: [
      ['a', 'RPUSH l <1>', 0, 1, 1],
      ['a', 'LPOP l', 2, 3, '<1>'],
      ['b', 'RPOP l', 2, 3, '<1>'],
    ],
    good: [
      ['a', 'RPUSH l <1>', 0, 1, 1],
      ['a', 'LPOP l', 2, 3, '<1>'],
      ['b', 'RPOP l', 2, 3, null],
    ],
  },
  {
    name: 'a member that SPOP took and that is still there',
    bad: [
      ['a', 'SADD s x y', 0, 1, 2],
      ['a', 'SPOP s', 2, 3, 'x'],
      ['b', 'SISMEMBER s x', 4, 5, 1],
    ],
    good: [
      ['a', 'SADD s x y', 0, 1, 2],
      ['a', 'SPOP s', 2, 3, 'x'],
      ['b', 'SISMEMBER s y', 4, 5, 1],
    ],
  },
  {
    name: 'half of a MSET',
    bad: [
      ['a', 'MSET x 1 y 1', 0, 5, 'OK'],
      ['b', 'MGET x y', 1, 2, ['1', null]],
    ],
    good: [
      ['a', 'MSET x 1 y 1', 0, 5, 'OK'],
      ['b', 'MGET x y', 1, 2, ['1', '1']],
    ],
  },
  {
    name: 'half of a transaction',
    bad: [
      ['a', 'MULTI ["SET","x","1"] ["SET","y","1"]', 0, 5, ['OK', 'OK']],
      ['b', 'MGET x y', 1, 2, ['1', null]],
    ],
    good: [
      ['a', 'MULTI ["SET","x","1"] ["SET","y","1"]', 0, 5, ['OK', 'OK']],
      ['b', 'MGET x y', 1, 2, ['1', '1']],
    ],
  },
  {
    name: 'a script within a transaction that was refused for want of space, and took effect',
    bad: [
      ['a', `MULTI ${APPEND_BOTH} ["GET","x"]`, 0, 5, [{ error: 'OOM the disk is full' }, null]],
      ['b', 'MGET x y', 6, 7, ['1', '1']],
    ],
    good: [
      ['a', `MULTI ${APPEND_BOTH} ["GET","x"]`, 0, 5, [{ error: 'OOM the disk is full' }, null]],
      ['b', 'MGET x y', 6, 7, [null, null]],
    ],
  },
  {
    name: 'a transaction that took place though the watched key had changed',
    bad: [
      ['b', 'SET k <1>', 0, 1, 'OK'],
      ['b', 'SET k <2>', 3, 4, 'OK'],
      ['a', 'WATCH k ["APPEND","k","!"]', 2, 9, ['<1>', [4]]],
      ['b', 'GET k', 5, 10, '<2>!'],
    ],
    good: [
      ['b', 'SET k <1>', 0, 1, 'OK'],
      ['b', 'SET k <2>', 3, 4, 'OK'],
      ['a', 'WATCH k ["APPEND","k","!"]', 2, 9, ['<1>', null]],
      ['b', 'GET k', 5, 10, '<2>'],
    ],
  },
  {
    name: 'an element that went to a client which was told that nothing came',
    bad: [
      ['a', 'BLPOP x y 0.5', 0, 9, null],
      ['b', 'RPUSH y <1>', 2, 3, 1],
      ['b', 'LLEN y', 4, 5, 0],
    ],
    good: [
      ['a', 'BLPOP x y 0.5', 0, 9, ['y', '<1>']],
      ['b', 'RPUSH y <1>', 2, 3, 1],
      ['b', 'LLEN y', 4, 5, 0],
    ],
  },
  {
    name: 'an entry of a stream that two consumers were given',
    bad: [
      ['a', 'XADD s 1-* f <1>', 0, 1, '1-0'],
      ['a', 'XGROUP CREATE s g 0 MKSTREAM', 2, 3, 'OK'],
      ['b', 'XREADGROUP GROUP g b COUNT 1 STREAMS s >', 4, 5, [['s', [['1-0', ['f', '<1>']]]]]],
      ['c', 'XREADGROUP GROUP g c COUNT 1 STREAMS s >', 4, 6, [['s', [['1-0', ['f', '<1>']]]]]],
    ],
    good: [
      ['a', 'XADD s 1-* f <1>', 0, 1, '1-0'],
      ['a', 'XGROUP CREATE s g 0 MKSTREAM', 2, 3, 'OK'],
      ['b', 'XREADGROUP GROUP g b COUNT 1 STREAMS s >', 4, 5, [['s', [['1-0', ['f', '<1>']]]]]],
      ['c', 'XREADGROUP GROUP g c COUNT 1 STREAMS s >', 4, 6, null],
    ],
  },
  {
    name: 'an entry of a stream that was acknowledged and is pending again',
    bad: [
      ['a', 'XADD s 1-* f <1>', 0, 1, '1-0'],
      ['a', 'XGROUP CREATE s g 0 MKSTREAM', 2, 3, 'OK'],
      ['b', 'XREADGROUP GROUP g b COUNT 1 STREAMS s >', 4, 5, [['s', [['1-0', ['f', '<1>']]]]]],
      ['b', 'XACK s g 1-0', 6, 7, 1],
      ['c', 'XPENDING s g', 8, 9, [1, '1-0', '1-0', [['b', '1']]]],
    ],
    good: [
      ['a', 'XADD s 1-* f <1>', 0, 1, '1-0'],
      ['a', 'XGROUP CREATE s g 0 MKSTREAM', 2, 3, 'OK'],
      ['b', 'XREADGROUP GROUP g b COUNT 1 STREAMS s >', 4, 5, [['s', [['1-0', ['f', '<1>']]]]]],
      ['b', 'XACK s g 1-0', 6, 7, 1],
      ['c', 'XPENDING s g', 8, 9, [0, null, null, null]],
    ],
  },
  {
    name: 'an element in neither or both lists of a LMOVE',
    bad: [
      ['a', 'RPUSH x <1>', 0, 1, 1],
      ['a', 'LMOVE x y LEFT LEFT', 2, 9, '<1>'],
      ['b', 'LLEN x', 3, 4, 0],
      ['b', 'LLEN y', 5, 6, 0],
    ],
    good: [
      ['a', 'RPUSH x <1>', 0, 1, 1],
      ['a', 'LMOVE x y LEFT LEFT', 2, 9, '<1>'],
      ['b', 'LLEN x', 3, 4, 1],
      ['b', 'LLEN y', 5, 6, 0],
    ],
  },
  {
    name: 'a key that expired and is back',
    bad: [
      ['a', 'SET k 1 PX 100', 0, 1, 'OK'],
      ['a', 'GET k', 95, 105, null],
      ['b', 'GET k', 106, 107, '1'],
    ],
    good: [
      ['a', 'SET k 1 PX 100', 0, 1, 'OK'],
      ['a', 'GET k', 95, 105, '1'],
      ['b', 'GET k', 106, 107, null],
    ],
  },
  {
    name: 'a key that expired too early',
    bad: [
      ['a', 'SET k 1 PX 100', 0, 1, 'OK'],
      ['a', 'GET k', 80, 85, null],
    ],
    good: [
      ['a', 'SET k 1 PX 100', 0, 1, 'OK'],
      ['a', 'GET k', 80, 95, null],
    ],
  },
  {
    name: 'a key that does not expire',
    bad: [
      ['a', 'SET k 1', 0, 1, 'OK'],
      ['a', 'PEXPIRE k 100', 2, 3, 1],
      ['b', 'GET k', 120, 125, '1'],
    ],
    good: [
      ['a', 'SET k 1', 0, 1, 'OK'],
      ['a', 'PEXPIRE k 100', 2, 3, 1],
      ['a', 'PERSIST k', 4, 5, 1],
      ['b', 'GET k', 120, 125, '1'],
    ],
  },
  {
    name: 'data behind a FLUSHDB',
    bad: [
      ['a', 'SET k 1', 0, 1, 'OK'],
      ['a', 'FLUSHDB', 2, 3, 'OK'],
      ['b', 'GET k', 4, 5, '1'],
    ],
    good: [
      ['a', 'SET k 1', 0, 1, 'OK'],
      ['a', 'FLUSHDB', 2, 4.5, 'OK'],
      ['b', 'GET k', 4, 5, '1'],
    ],
  },
];

describe('the linearizability checker, by example', () => {
  for (const { name, bad, good } of pairs) {
    it(`finds ${name}`, () => {
      expect(judge(bad)).to.equal('violation');
      expect(judge(good)).to.equal('linearizable');
    });
  }

  it('names the shortest prefix that fails and what could still be explained', () => {
    const [failure] = checkHistory(
      history([
        ['a', 'SET k 1', 0, 1, 'OK'],
        ['a', 'SET k 2', 2, 3, 'OK'],
        ['b', 'GET k', 4, 5, '1'],
        ['b', 'GET k', 6, 7, '2'],
        ['b', 'GET other', 6, 7, null],
      ]),
    ).failures;
    expect(failure?.operations.map(({ id }) => id)).to.deep.equal([0, 1, 2]);
    expect(failure?.explanation.split('\n')).to.deep.equal([
      'not linearizable: keys k; no order explains',
      '  #2 [4.00, 5.00] b: GET k -> "1"',
      'before it, this order explains the others (the last of them):',
      '  #0 [0.00, 1.00] a: SET k 1 -> "OK"',
      '  #1 [2.00, 3.00] a: SET k 2 -> "OK"',
      'which leaves k: 2',
    ]);
  });

  it('takes a MGET over several partitions for one read of each key', () => {
    const lines: Line[] = [
      ['a', 'SET x 1', 0, 1, 'OK'],
      ['b', 'MGET x y', 2, 9, ['1', '2']],
      ['a', 'SET x 3', 3, 4, 'OK'],
      ['a', 'SET y 2', 5, 6, 'OK'],
    ];
    expect(judge(lines)).to.equal('violation');
    expect(checkHistory(history(lines), { splitUnions: true }).failures).to.deep.equal([]);
  });
});

describe('a history', () => {
  it('comes back from its file as it was written', () => {
    const recorder = new History();
    const first = recorder.call('a', ['SET', 'k', 'v\xff'], 1);
    const second = recorder.call('b', ['GET', 'k'], 2);
    const third = recorder.call('b', ['INCR', 'k'], 3);
    recorder.call('c', ['DEL', 'k'], 4);
    recorder.returned(second, 'v\xff', 5);
    recorder.lost(first, 'the connection broke');
    recorder.returned(third, { error: 'ERR not executed: stopping' }, 6);
    const directory = mkdtempSync(join(tmpdir(), 'history-'));
    try {
      const file = join(directory, 'history.jsonl');
      writeHistory(file, recorder.all());
      expect(readHistory(file)).to.deep.equal(recorder.all());
      expect(recorder.all().map(({ outcome }) => outcome)).to.deep.equal(['unknown', 'ok', 'refused', 'unknown']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
