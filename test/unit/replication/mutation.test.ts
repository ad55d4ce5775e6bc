import { expect } from 'chai';
import { OperatingError } from '../../../shared/errors.js';
import {
  decodeMutation,
  encodeMutation,
  MUTATION_FORMAT,
  MutationKind,
  mutationKind,
  mutationTimeMs,
  PARTITION_WIDE,
  type Mutation,
} from '../../../server/replication/mutation.js';

const empty: Mutation = {
  kind: MutationKind.data,
  origin: 0,
  table: 1,
  partition: 1,
  timeMs: 0,
  groups: [],
  results: [],
  annotations: [],
  sessions: [],
};

const full: Mutation = {
  kind: MutationKind.session,
  origin: 0xffffffff,
  table: 7,
  partition: 12,
  timeMs: 0xffff_ffff_ffff,
  groups: [
    {
      slot: 16_383,
      keyspace: '\x00\x01\xff\x7f\x80\x00\x00\x02',
      keysDelta: -1,
      expiresDelta: 1,
      bytesDelta: -12.5e9,
      writes: [
        { key: 'row\x00\xff', value: Buffer.from([0, 255, 10]) },
        { key: '', value: Buffer.alloc(0) },
        { key: 'gone', value: null },
      ],
    },
    { slot: PARTITION_WIDE, keyspace: '\0'.repeat(8), keysDelta: 0, expiresDelta: 0, bytesDelta: 0, writes: [] },
  ],
  results: [
    [7, 3, 9_000_000_000, 8_999_999_999, 0, Buffer.from('old')],
    [7, 4, 1, 0, 1, 'ERR no such key'],
    [7, 5, 1, 0, 0, 9_223_372_036_854_775_807n],
    [7, 6, 1, 0, 0, [null, true, 'text', -1.5]],
  ],
  annotations: [['checksum', 5, 'meta']],
  sessions: [
    ['open', '9-proxy'],
    ['settle', 7, 9_000_000_000, [3, 4, 5, 6]],
    ['end', 6],
  ],
};

const codeOf = (decode: () => unknown): string => {
  try {
    decode();
  } catch (error) {
    return error instanceof OperatingError ? error.code : String(error);
  }
  return 'none';
};

describe('a mutation', () => {
  it('comes back as it was', () => {
    expect(decodeMutation(encodeMutation(full))).to.deep.equal(full);
    expect(decodeMutation(encodeMutation(empty))).to.deep.equal(empty);
  });

  it('tells its kind and its time without being decoded', () => {
    const body = encodeMutation(full);
    expect(mutationKind(body)).to.equal(MutationKind.session);
    expect(mutationTimeMs(body)).to.equal(0xffff_ffff_ffff);
  });

  it('may be large: many rows, a large value, many results', () => {
    const value = Buffer.alloc(3 * 1024 * 1024, 'v');
    const large: Mutation = {
      ...empty,
      groups: Array.from({ length: 20_000 }, (_, i) => ({
        slot: i % 16_384,
        keyspace: '\0'.repeat(8),
        keysDelta: 1,
        expiresDelta: 0,
        bytesDelta: -12.5e9,
        writes: [{ key: `key-${i}`, value: i === 5 ? value : Buffer.from(String(i)) }],
      })),
      results: Array.from({ length: 20_000 }, (_, i) => [9, 1, i + 1, i, 0, Buffer.from(`result ${i}`)] as const),
      annotations: [['x', 'y'.repeat(70_000)]],
      sessions: [['settle', 9, 1, Array.from({ length: 9_000 }, (_, i) => i)]],
    };
    const decoded = decodeMutation(encodeMutation(large));
    expect(decoded.groups[5]?.writes[0]?.value?.equals(value)).to.equal(true);
    expect(decoded.groups[19_999]).to.deep.equal(large.groups[19_999]);
    expect(decoded.results[19_999]).to.deep.equal(large.results[19_999]);
    expect(decoded.annotations).to.deep.equal(large.annotations);
    expect(decoded.sessions).to.deep.equal(large.sessions);
  });

  it('of a kind that this version does not know is refused', () => {
    for (const kind of [0, 4, 9, 10, 255]) {
      const body = encodeMutation(empty);
      body[2] = kind;
      expect(
        codeOf(() => decodeMutation(body)),
        `kind ${kind}`,
      ).to.equal('E_CONFIG');
    }
  });

  it('of a newer format is read if it may be, and refused if it says otherwise', () => {
    const compatible = encodeMutation(full);
    compatible[0] = MUTATION_FORMAT + 1;
    expect(decodeMutation(compatible)).to.deep.equal(full);
    const incompatible = encodeMutation(full);
    incompatible[0] = incompatible[1] = MUTATION_FORMAT + 1;
    expect(codeOf(() => decodeMutation(incompatible))).to.equal('E_CONFIG');
  });

  it('that is cut anywhere, or has anything behind it, is corrupt (20)', () => {
    const body = encodeMutation(full);
    for (let bytes = 0; bytes < body.length; bytes++)
      expect(
        codeOf(() => decodeMutation(Buffer.from(body.subarray(0, bytes)))),
        `${bytes} bytes`,
      ).to.equal('E_CORRUPT');
    expect(codeOf(() => decodeMutation(Buffer.concat([body, Buffer.alloc(1)])))).to.equal('E_CORRUPT');
  });

  it('with any bit flipped is read or refused with a code, and never asks for more memory than it has', () => {
    const body = encodeMutation(full);
    for (let bit = 0; bit < body.length * 8; bit++) {
      const flipped = Buffer.from(body);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(
        codeOf(() => decodeMutation(flipped)),
        `bit ${bit}`,
      ).to.be.oneOf(['none', 'E_CORRUPT', 'E_CONFIG']);
    }
  });
});
