/**
 * Stream commands drawn from a seed, on few streams with few groups. Ids are given, and idle times are 0 or far away:
 * clocks differ. Nothing blocks.
 */
import { drawn, type Draw, type Line } from './random-commands.js';

const streams = ['s', 't', 'u'];
const groups = ['g', 'h'];
const consumers = ['alice', 'bob', 'a', ''];
const values = ['', '1', '-70000', 'x'.repeat(20), 'y'.repeat(70), '12345678901'];
const fields = ['a', 'b', '7', 'name'];
const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
const idle = ['0', '0', '100000000'];
const milliseconds = numbers(300);

const id = (draw: Draw): string => draw([draw(milliseconds), `${draw(milliseconds)}-${draw(['0', '1', '2'])}`]);
const bound = (draw: Draw): string => draw([id(draw), id(draw), `(${id(draw)}`, '-', '+']);
const ids = (draw: Draw): string[] => Array.from({ length: 4 }, () => id(draw));
const pairs = (draw: Draw): string[] =>
  draw(['same', 'same', 'other']) === 'same'
    ? ['a', draw(values), 'b', draw(values)]
    : Array.from({ length: Number(draw(['1', '3'])) }, () => [draw(fields), draw(values)]).flat();
const trim = (draw: Draw, largest: number): string[] => [
  ...(draw(['length', 'id']) === 'length' ? ['MAXLEN'] : ['MINID']),
  draw(['=', '~', '~']),
  draw(numbers(largest)),
];

const often = (times: number, line: Line): Line[] => Array.from({ length: times }, () => line);

const reading: readonly Line[] = [
  (draw) => ['XRANGE', draw(streams), bound(draw), bound(draw)],
  (draw) => ['XREVRANGE', draw(streams), bound(draw), bound(draw), 'COUNT', draw(['0', '1', '5'])],
  (draw) => [
    'XREAD',
    'COUNT',
    draw(['0', '2']),
    'STREAMS',
    draw(streams),
    draw(streams),
    id(draw),
    draw(['$', '0', 'x']),
  ],
  (draw) => ['XREAD', 'STREAMS', draw(streams), id(draw)],
  (draw) => [draw(['XLEN', 'TYPE']), draw(streams)],
  (draw) => ['XINFO', 'STREAM', draw(streams)],
  (draw) => ['XINFO', 'STREAM', draw(streams), 'FULL', 'COUNT', draw(['0', '1', '5'])],
  (draw) => ['XINFO', draw(['GROUPS', 'GROUPS', 'FOO']), draw(streams)],
  (draw) => ['XINFO', 'CONSUMERS', draw(streams), draw(groups)],
  (draw) => ['XPENDING', draw(streams), draw(groups)],
  (draw) => ['XPENDING', draw(streams), draw(groups), bound(draw), bound(draw), draw(['0', '3', '100'])],
  (draw) => ['XPENDING', draw(streams), draw(groups), 'IDLE', draw(idle), '-', '+', '10', draw(consumers)],
];

const writing: readonly Line[] = [
  (draw) => ['XADD', draw(streams), `${draw(milliseconds)}-*`, ...pairs(draw)],
  (draw) => ['XADD', draw(streams), ...trim(draw, 100), `${draw(milliseconds)}-*`, ...pairs(draw)],
  (draw) => [
    'XADD',
    draw(streams),
    'NOMKSTREAM',
    'MAXLEN',
    '~',
    '20',
    'LIMIT',
    draw(['0', '5', '50']),
    id(draw),
    'a',
    'b',
  ],
  (draw) => ['XDEL', draw(streams), ...ids(draw)],
  ...often(5, (draw) => [
    'XREADGROUP',
    'GROUP',
    draw(groups),
    draw(consumers),
    'COUNT',
    '3',
    'STREAMS',
    draw(streams),
    '>',
  ]),
  (draw) => [
    'XREADGROUP',
    'GROUP',
    draw(groups),
    draw(consumers),
    'COUNT',
    '2',
    'STREAMS',
    draw(streams),
    draw(streams),
    draw(['>', id(draw)]),
    draw(['>', id(draw)]),
  ],
  (draw) => [
    'XREADGROUP',
    'GROUP',
    draw(groups),
    draw(consumers),
    'NOACK',
    'COUNT',
    '2',
    'STREAMS',
    draw(streams),
    '>',
  ],
  (draw) => ['XACK', draw(streams), draw(groups), ...ids(draw)],
  (draw) => [
    'XCLAIM',
    draw(streams),
    draw(groups),
    draw(consumers),
    draw(idle),
    ...ids(draw),
    draw(['FORCE', 'JUSTID', '9']),
  ],
  (draw) => ['XCLAIM', draw(streams), draw(groups), draw(consumers), '0', ...ids(draw), 'FORCE', 'RETRYCOUNT', '3'],
  (draw) => ['XCLAIM', draw(streams), draw(groups), draw(consumers), '0', id(draw), 'TIME', '1000', 'LASTID', id(draw)],
  (draw) => [
    'XAUTOCLAIM',
    draw(streams),
    draw(groups),
    draw(consumers),
    draw(idle),
    bound(draw),
    'COUNT',
    draw(['0', '1', '3']),
  ],
  (draw) => ['XAUTOCLAIM', draw(streams), draw(groups), draw(consumers), '0', id(draw), draw(['JUSTID', 'x'])],
  ...often(3, (draw) => [
    'XGROUP',
    'CREATE',
    draw(streams),
    draw(groups),
    draw(['0', '0', '$', id(draw)]),
    draw(['MKSTREAM', 'MKSTREAM', 'MKSTREAM', 'x']),
  ]),
  (draw) => ['XGROUP', 'SETID', draw(streams), draw(groups), draw(['0', '$', id(draw)])],
  (draw) => ['XGROUP', 'SETID', draw(streams), draw(groups), id(draw), 'ENTRIESREAD', draw(['0', '5'])],
  (draw) => ['XGROUP', 'CREATECONSUMER', draw(streams), draw(groups), draw(consumers)],
];

/** What undoes much at once. */
const ending: readonly Line[] = [
  (draw) => ['XTRIM', draw(streams), ...trim(draw, 300)],
  (draw) => ['XTRIM', draw(streams), ...trim(draw, 100)],
  (draw) => ['XGROUP', 'DESTROY', draw(streams), draw(groups)],
  (draw) => ['XGROUP', 'DELCONSUMER', draw(streams), draw(groups), draw(consumers)],
  (draw) => ['XSETID', draw(streams), draw(numbers(60))],
  (draw) => ['XSETID', draw(streams), draw(numbers(60)), 'ENTRIESADDED', draw(numbers(300)), 'MAXDELETEDID', id(draw)],
  (draw) => ['COPY', draw(streams), draw(streams), 'REPLACE'],
  (draw) => ['RENAME', draw(streams), draw(streams)],
  (draw) => ['PEXPIREAT', draw(streams), '4102444800000'],
  (draw) => ['DEL', draw(streams)],
];

const endSometimes: Line = (draw) => ending[Number(draw(numbers(ending.length)))]!(draw);

/** XADD with ids that go on and on, so many of them a millisecond. */
function adding(perMillisecond: number): Line {
  let next = 0;
  return (draw) => ['XADD', draw(streams), `${Math.floor(next++ / perMillisecond)}-*`, ...pairs(draw)];
}

/** Streams stay small. */
export function randomStreamCommands(seed: number, count: number): string[][] {
  const lines = [...reading, ...writing.slice(1), ...often(12, adding(5)), ...often(2, endSometimes)];
  return drawn(lines, seed, count);
}

/** Streams of hundreds of entries: little ends them. */
export function largeStreamCommands(seed: number, count: number): string[][] {
  return drawn([...reading, ...writing.slice(3), ...often(60, adding(10)), endSometimes], seed, count);
}

/** A reply with what depends on the clock taken out. */
export function withoutTimes(words: readonly string[], reply: string): string {
  const name = words[0] ?? '';
  if (name !== 'XPENDING' && name !== 'XINFO') return reply;
  const text = '\\$\\d+\\r\\n[^\\r]*\\r\\n';
  return reply
    .replace(new RegExp(`(\\*4\\r\\n${text}${text}):\\d+\\r\\n`, 'g'), '$1:T\r\n')
    .replace(new RegExp(`(\\*3\\r\\n${text}):\\d+\\r\\n`, 'g'), '$1:T\r\n')
    .replace(/((?:idle|seen-time)\r\n):\d+\r\n/g, '$1:T\r\n');
}
