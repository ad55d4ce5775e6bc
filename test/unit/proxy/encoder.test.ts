import { expect } from 'chai';
import RedisParser from 'redis-parser';
import { encodeReply, Output } from '../../../proxy/resp/encoder.js';
import {
  DoubleReply,
  ErrorReply,
  MapReply,
  NULL_ARRAY,
  OK,
  PushReply,
  type Reply,
  SetReply,
  SimpleString,
  VerbatimReply,
} from '../../../shared/commands/reply.js';

function bytes(content: string | (string | Buffer)[]): Buffer {
  const pieces = typeof content === 'string' ? [content] : content;
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)));
}

function encoded(reply: Reply, resp: 2 | 3): string {
  const output = new Output();
  encodeReply(output, reply, resp);
  const expected = output.bytes;
  const result = bytes(output.take());
  expect(result.length).to.equal(expected);
  return result.toString('latin1');
}

describe('reply encoder', () => {
  const rows: [string, Reply, string, string][] = [
    ['simple string', OK, '+OK\r\n', '+OK\r\n'],
    ['error', new ErrorReply('ERR no'), '-ERR no\r\n', '-ERR no\r\n'],
    ['error of several lines', new ErrorReply('ERR a\r\nb'), '-ERR a  b\r\n', '-ERR a  b\r\n'],
    ['integer', -5, ':-5\r\n', ':-5\r\n'],
    ['bigint', 9223372036854775807n, ':9223372036854775807\r\n', ':9223372036854775807\r\n'],
    ['nil', null, '$-1\r\n', '_\r\n'],
    ['nil array', NULL_ARRAY, '*-1\r\n', '_\r\n'],
    ['bulk', Buffer.from('a\r\n'), '$3\r\na\r\n\r\n', '$3\r\na\r\n\r\n'],
    ['text', 'é', '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
    ['array', [1, [null]], '*2\r\n:1\r\n*1\r\n$-1\r\n', '*2\r\n:1\r\n*1\r\n_\r\n'],
    ['map', new MapReply(['a', 1]), '*2\r\n$1\r\na\r\n:1\r\n', '%1\r\n$1\r\na\r\n:1\r\n'],
    ['set', new SetReply([1]), '*1\r\n:1\r\n', '~1\r\n:1\r\n'],
    ['push', new PushReply([1]), '*1\r\n:1\r\n', '>1\r\n:1\r\n'],
    ['boolean', true, ':1\r\n', '#t\r\n'],
    ['double', new DoubleReply(3.25), '$4\r\n3.25\r\n', ',3.25\r\n'],
    ['large double', new DoubleReply(1e25), '$22\r\n1.0000000000000001e+25\r\n', ',1.0000000000000001e+25\r\n'],
    ['infinity', new DoubleReply(-Infinity), '$4\r\n-inf\r\n', ',-inf\r\n'],
    ['verbatim', new VerbatimReply('txt', 'hi'), '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'],
  ];
  for (const [name, reply, resp2, resp3] of rows) {
    it(`writes a ${name} in both protocols`, () => {
      expect(encoded(reply, 2)).to.equal(resp2);
      expect(encoded(reply, 3)).to.equal(resp3);
    });
  }

  it('keeps order between short and long pieces', () => {
    const output = new Output();
    const big = Buffer.alloc(100_000, 'b');
    const replies: Reply[] = [OK, big, 1, big, new SimpleString('x')];
    for (const reply of replies) encodeReply(output, reply, 2);
    const other = new Output();
    encodeReply(other, big, 2);
    encodeReply(other, 2, 2);
    output.appendOutput(other);
    const read: unknown[] = [];
    const reader = new RedisParser({
      returnReply: (reply: unknown) => read.push(reply),
      returnError: (error: Error) => read.push(error),
      returnBuffers: true,
    });
    const size = output.bytes;
    const content = bytes(output.take());
    expect(content.length).to.equal(size);
    reader.execute(content);
    expect(read.map((reply) => (Buffer.isBuffer(reply) ? reply.length : reply))).to.deep.equal([
      2, 100_000, 1, 100_000, 1, 100_000, 2,
    ]);
    expect(output.take()).to.equal('');
  });
});
