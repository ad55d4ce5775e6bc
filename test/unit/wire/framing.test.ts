import { expect } from 'chai';
import { Packr } from 'msgpackr';
import { limits } from '../../../shared/limits.js';
import { FramePool, FrameReader, FrameWriter, rawFrame, unpackFrame } from '../../../shared/wire/framing.js';
import type { Message } from '../../../shared/wire/messages.js';

const frame = (messages: Message[], writer = new FrameWriter(new FramePool())): Buffer => {
  for (const message of messages) writer.add(message);
  return Buffer.concat(writer.take().chunks);
};
const read = (bytes: Buffer, cuts: number[] = []): Message[] => {
  const reader = new FrameReader(limits.frameBytes);
  const found: Message[] = [];
  for (const [index, from] of [0, ...cuts].entries()) {
    reader.push(
      bytes.subarray(from, cuts[index] ?? bytes.length),
      (payload) => found.push(...unpackFrame(payload)) > 0,
    );
  }
  return found;
};

const every: Message = [
  7,
  0,
  -0,
  1,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  -1,
  -32,
  -33,
  -128,
  -(2 ** 31),
  -(2 ** 31) - 1,
  1.5,
  -0.1,
  NaN,
  Infinity,
  -Infinity,
  5n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
  -(2n ** 63n),
  null,
  true,
  false,
  '',
  'ascii',
  'ümläut 漢字 🐎',
  'x'.repeat(31),
  'x'.repeat(32),
  'ü'.repeat(24),
  'x'.repeat(255),
  'x'.repeat(256),
  'y'.repeat(70_000),
  Buffer.alloc(0),
  Buffer.from([0, 255]),
  Buffer.alloc(255, 1),
  Buffer.alloc(256, 2),
  Buffer.alloc(65_536, 3),
  [],
  [[1, [2, [3]]], Buffer.from('x')],
  Array.from({ length: 16 }, (_, i) => i),
  Array.from({ length: 70_000 }, () => 1),
  {},
  { a: 1, nested: { list: [Buffer.from('b')] }, ü: null },
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`field${i}`, i])),
];

describe('frames', () => {
  it('bring back every kind of value', () => {
    expect(read(frame([every]))).to.deep.equal([every]);
    const [back] = read(frame([[1, -0, { absent: undefined }, undefined]]));
    expect(back).to.deep.equal([1, -0, {}, null]);
    expect(Object.is(back![1], -0)).to.equal(true);
  });

  it('are msgpack as others write it', () => {
    const packr = new Packr({ useRecords: false });
    expect(read(rawFrame(packr.pack([[1, 'a', Buffer.from('b'), { c: [1.5, -7] }]])))).to.deep.equal([
      [1, 'a', Buffer.from('b'), { c: [1.5, -7] }],
    ]);
  });

  it('cut at every offset, or into single bytes, give the same messages', () => {
    const messages: Message[][] = [
      [
        [1, Buffer.from('abc')],
        [2, 'x'],
      ],
      [[3, null]],
      [[4, Buffer.alloc(300, 9)]],
    ];
    const bytes = Buffer.concat(messages.map((each) => frame(each)));
    for (let a = 0; a <= bytes.length; a++) expect(read(bytes, [a])).to.deep.equal(messages.flat());
    for (let a = 0; a < 40; a++)
      for (let b = a; b < 60; b++) expect(read(bytes, [a, b])).to.deep.equal(messages.flat());
    expect(
      read(
        bytes,
        Array.from({ length: bytes.length - 1 }, (_, i) => i + 1),
      ),
    ).to.deep.equal(messages.flat());
  });

  it('in one piece are not copied', () => {
    const bytes = frame([[1, Buffer.alloc(100, 5)]]);
    const [message] = read(bytes);
    expect((message![1] as Buffer).buffer).to.equal(bytes.buffer);
  });

  it('pass large Buffers through without a copy, among small things', () => {
    const large = Buffer.alloc(limits.passThroughBytes, 8);
    const writer = new FrameWriter(new FramePool());
    writer.add([1, 'before', large, 'after', large]);
    writer.add([2, Buffer.from('small')]);
    const { chunks } = writer.take();
    expect(chunks.filter((chunk) => chunk === large)).to.have.length(2);
    expect(read(Buffer.concat(chunks))).to.deep.equal([
      [1, 'before', large, 'after', large],
      [2, Buffer.from('small')],
    ]);
  });

  it('are written into the same buffers again once these were sent', () => {
    const writer = new FrameWriter(new FramePool());
    for (let i = 0; i < 5; i++) {
      writer.add([i, 'x'.repeat(i * 30_000), Buffer.alloc(i * 10_000, i)]);
      const { chunks, sent } = writer.take();
      expect(read(Buffer.concat(chunks))).to.deep.equal([[i, 'x'.repeat(i * 30_000), Buffer.alloc(i * 10_000, i)]]);
      sent();
    }
  });

  it('leave out a message that cannot be packed, and nothing else', () => {
    const large = Buffer.alloc(limits.passThroughBytes, 8);
    const writer = new FrameWriter(new FramePool());
    const bad = (...before: unknown[]) =>
      expect(() => writer.add([9, ...before, () => undefined])).to.throw(/holds no function/);
    bad('first');
    writer.add([1, 'kept']);
    bad('small');
    bad(large);
    bad('x'.repeat(100_000), large, 'y'.repeat(100_000));
    writer.add([2, large]);
    bad(large, large);
    writer.add([3, 'kept too']);
    let nested: unknown[] = [];
    for (let depth = 0; depth <= limits.messageDepth; depth++) nested = [nested];
    expect(() => writer.add([1, nested])).to.throw(/nests/);
    expect(read(Buffer.concat(writer.take().chunks))).to.deep.equal([
      [1, 'kept'],
      [2, large],
      [3, 'kept too'],
    ]);
    expect(large.every((byte) => byte === 8)).to.equal(true);
  });

  it('above the limit are refused as soon as the length is there, whatever pieces it comes in', () => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(1001);
    for (const cuts of [[], [1], [3], [1, 2, 3]]) {
      const reader = new FrameReader(1000);
      const push = (): void => {
        for (const [index, from] of [0, ...cuts].entries())
          reader.push(head.subarray(from, cuts[index] ?? 4), () => true);
      };
      expect(push).to.throw().with.property('code', 'E_WIRE');
    }
  });

  it('of garbage are refused', () => {
    const packr = new Packr({ useRecords: false });
    const bad = [
      Buffer.alloc(0),
      Buffer.from('GET / HTTP/1.1'),
      Buffer.from([0xc1]),
      Buffer.from([0xdd, 255, 255, 255, 255]),
      Buffer.from([0xc6, 255, 255, 255, 255]),
      Buffer.alloc(100_000, 0x91),
      packr.pack(7),
      packr.pack({ a: 1 }),
      packr.pack([7]),
      packr.pack([['x']]),
      packr.pack([[]]),
    ];
    for (const payload of bad)
      expect(() => unpackFrame(payload), payload.subarray(0, 8).toString('hex'))
        .to.throw()
        .with.property('code', 'E_WIRE');
    let state = 1;
    for (let i = 0; i < 3000; i++) {
      const payload = Buffer.from(
        Array.from({ length: 1 + (i % 40) }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24),
      );
      try {
        unpackFrame(payload);
      } catch (error) {
        expect(error).to.have.property('code', 'E_WIRE');
      }
    }
  });
});
