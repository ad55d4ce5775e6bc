/** Streams as they are kept: packed and large alike, trimmed in bounded steps, with nothing left behind. */
import { expect } from 'chai';
import { limits } from '../../../shared/limits.js';
import { IdMode, streamAdd } from '../../../shared/operations/streams.js';
import { streamId } from '../../../shared/stream-ids.js';
import { executors } from '../../../server/rows/index.js';
import { digestValues } from '../../../shared/operations/codes.js';
import { OnePartition } from './one-partition.js';
import { largeStreamCommands, randomStreamCommands } from './random-stream-commands.js';

const key = Buffer.from('s');

describe('streams', () => {
  let ours: OnePartition;

  beforeEach(() => {
    ours = new OnePartition();
  });

  const send = (line: string): string => ours.send(line.split(' '));
  const elements = (): number => ours.partition.stored(0, key).elements;
  const row = (): ReturnType<ReturnType<typeof ours.partition.view>['peek']> => ours.partition.view(0).peek(key);

  function add(count: number, from = 1): void {
    for (let i = from; i < from + count; i++) expect(send(`XADD s ${i}-0 field value${i}`)).to.contain(`${i}-0`);
  }

  /** As one operation, which is much faster here. */
  function addAtOnce(count: number): void {
    const view = ours.partition.view(0);
    for (let i = 1; i <= count; i++) {
      const addition = { mode: IdMode.whole, id: streamId(BigInt(i), 0n), create: true, trimming: null, nodes: null };
      const [code, ...args] = streamAdd(key, addition, [Buffer.from('field'), Buffer.from('value')]);
      executors[code]?.execute(view, args);
    }
  }

  /** Changes that only make it sweep. */
  function sweep(): void {
    for (let i = 0; i < 20; i++) send('XSETID s 99999');
  }

  it('are packed while they are small, groups and what is pending included, and spill as they grow', () => {
    send('XGROUP CREATE s g 0 MKSTREAM');
    add(5);
    send('XREADGROUP GROUP g alice COUNT 2 STREAMS s >');
    expect(row()?.large).to.equal(false);
    expect(elements()).to.equal(0);
    const before = [send('XRANGE s - +'), send('XPENDING s g - + 10'), send('XINFO GROUPS s')];
    add(limits.packedElements, 6);
    expect(row()?.large).to.equal(true);
    send(`XTRIM s MINID 0`);
    for (let i = 6; i < 6 + limits.packedElements; i++) send(`XDEL s ${i}-0`);
    expect([send('XRANGE s - +'), send('XPENDING s g - + 10')]).to.deep.equal(before.slice(0, 2));
    expect(row()?.size).to.equal(5);
  });

  for (const [kind, commands] of [
    ['few', randomStreamCommands(21, 3_000)],
    ['many', largeStreamCommands(22, 3_000)],
  ] as const) {
    it(`answer alike packed and large, to random commands on ${kind} entries`, () => {
      const large = new OnePartition();
      for (const stream of ['s', 't', 'u']) {
        // Once large, a stream stays so: these are as empty as the others.
        for (let i = 1; i <= 100; i++) large.send(['XADD', stream, `${i}`, 'a', 'b']);
        large.send(['XTRIM', stream, 'MAXLEN', '0']);
        large.send(['XSETID', stream, '0', 'ENTRIESADDED', '0']);
        ours.send(['XGROUP', 'CREATE', stream, 'none', '0', 'MKSTREAM']);
        ours.send(['XGROUP', 'DESTROY', stream, 'none']);
      }
      for (const words of commands) {
        if (['DEL', 'COPY', 'RENAME'].includes(words[0] ?? '')) continue;
        expect(large.send(words), words.join(' ')).to.equal(ours.send(words));
      }
      for (const stream of ['s', 't', 'u']) {
        expect(large.partition.view(0).peek(Buffer.from(stream))?.large).to.equal(true);
      }
    });
  }

  it('trim any number of entries at once for clients, and so many a change for themselves', () => {
    add(3_000);
    const whole = elements();
    expect(send('XTRIM s MAXLEN 7')).to.equal(':2993\r\n');
    expect(send('XLEN s')).to.equal(':7\r\n');
    expect(send('XRANGE s - + COUNT 1')).to.contain('2994-0');
    expect(send('XRANGE s 1 2000')).to.equal('*0\r\n');
    expect(send('XDEL s 5-0')).to.equal(':0\r\n');
    const nodes = 30;
    expect(elements(), 'bounded').to.be.at.least(whole - limits.streamSwept - 100 - nodes);
    sweep();
    expect(elements(), 'seven entries, and the node they are in').to.equal(8);
    expect(send('XRANGE s - +').match(/value/g)).to.have.lengthOf(7);
  });

  it('do not bring back what was trimmed when their last id is set back', () => {
    add(3_000);
    send('XTRIM s MAXLEN 0');
    expect(elements()).to.be.greaterThan(0);
    expect(send('XSETID s 0-5')).to.equal('+OK\r\n');
    send('XADD s 1-0 new entry');
    expect(send('XRANGE s - +')).to.equal('*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$3\r\nnew\r\n$5\r\nentry\r\n');
    sweep();
    expect(elements()).to.equal(2);
  });

  it('leave nothing behind of a group that is destroyed, whatever was pending in it', () => {
    add(1_000);
    sweep();
    const alone = elements();
    send('XGROUP CREATE s g 0');
    send('XREADGROUP GROUP g alice STREAMS s >');
    const whole = elements();
    expect(whole - alone).to.equal(2 * 1_000 + 2);
    expect(send('XGROUP DESTROY s g')).to.equal(':1\r\n');
    expect(elements(), 'bounded').to.be.at.least(whole - limits.streamSwept - 1);
    send('XGROUP CREATE s g 0');
    expect(send('XPENDING s g')).to.contain(':0\r\n');
    sweep();
    expect(elements()).to.equal(alone + 1);
    expect(send('XGROUP DESTROY s g')).to.equal(':1\r\n');
    expect(elements()).to.equal(alone);
  });

  it('leave nothing behind of consumers that are removed and of what is acknowledged', () => {
    add(300);
    const alone = elements();
    send('XGROUP CREATE s g 0');
    send('XREADGROUP GROUP g alice COUNT 100 STREAMS s >');
    send('XREADGROUP GROUP g bob STREAMS s >');
    expect(send('XGROUP DELCONSUMER s g alice')).to.equal(':100\r\n');
    for (let i = 101; i <= 300; i++) expect(send(`XACK s g ${i}`)).to.equal(':1\r\n');
    expect(elements(), 'the group and bob').to.equal(alone + 2);
    expect(send('XINFO GROUPS s')).to.contain('pending\r\n:0\r\n');
    expect(row()?.bytes, 'as without pending messages').to.be.lessThan(300 * 64);
  });

  it('hand a consumer no more at once than takes a bounded time', () => {
    send('XGROUP CREATE s g 0 MKSTREAM');
    addAtOnce(limits.streamDelivered + 5);
    expect(send('XREADGROUP GROUP g c STREAMS s >').match(/-0\r\n/g)).to.have.lengthOf(limits.streamDelivered);
    expect(send('XREADGROUP GROUP g c COUNT 1000000 STREAMS s >').match(/-0\r\n/g)).to.have.lengthOf(5);
  });

  it('count consumers with names that begin alike apart', () => {
    send('XGROUP CREATE s g 0 MKSTREAM');
    add(4);
    for (const name of ['a', 'ab', 'a\u0000', 'a']) {
      ours.send(['XREADGROUP', 'GROUP', 'g', name, 'COUNT', '1', 'STREAMS', 's', '>']);
    }
    expect(send('XPENDING s g - + 10 a').match(/-0/g)).to.have.lengthOf(2);
    expect(send('XPENDING s g - + 10 ab').match(/-0/g)).to.have.lengthOf(1);
  });

  it('take ids from the clock, and go on from the last one when that is ahead', () => {
    ours.partition.nowMs = 5_000;
    expect(send('XADD s * a b')).to.contain('5000-0');
    expect(send('XADD s * a b')).to.contain('5000-1');
    ours.partition.nowMs = 4_000;
    expect(send('XADD s * a b')).to.contain('5000-2');
    ours.partition.nowMs = 6_000;
    expect(send('XADD s * a b')).to.contain('6000-0');
  });

  it('have a digest of their entries, and the same packed and large', () => {
    add(3);
    const digest = (): string => String(ours.partition.execute(digestValues([key])));
    const packed = digest();
    add(100, 4);
    expect(digest()).to.not.equal(packed);
    for (let i = 4; i < 104; i++) send(`XDEL s ${i}`);
    expect(digest()).to.equal(packed);
  });

  it('are copied whole, also while something that was trimmed is left in them', () => {
    add(1_000);
    send('XGROUP CREATE s g 990');
    send('XREADGROUP GROUP g alice COUNT 3 STREAMS s >');
    send('XTRIM s MAXLEN 20');
    expect(send('COPY s copy')).to.equal(':1\r\n');
    for (const command of ['XRANGE # - +', 'XPENDING # g - + 10', 'XINFO STREAM #', 'XINFO GROUPS #']) {
      expect(send(command.replace('#', 'copy'))).to.equal(send(command.replace('#', 's')));
    }
    send('DEL s');
    expect(elements()).to.equal(0);
  });

  describe("8.2's removal with references", () => {
    beforeEach(() => {
      add(4);
      send('XGROUP CREATE s g 0');
      send('XGROUP CREATE s h 0');
      send('XREADGROUP GROUP g alice COUNT 2 STREAMS s >');
      send('XREADGROUP GROUP h bob COUNT 1 STREAMS s >');
    });

    it('keeps references, or removes them', () => {
      expect(send('XDELEX s KEEPREF IDS 2 1-0 9-0')).to.equal('*2\r\n:1\r\n:-1\r\n');
      expect(send('XPENDING s g')).to.contain(':2\r\n');
      expect(send('XDELEX s DELREF IDS 1 2-0')).to.equal('*1\r\n:1\r\n');
      expect(send('XPENDING s g')).to.contain(':1\r\n');
      expect(send('XLEN s')).to.equal(':2\r\n');
    });

    it('removes only what all groups have been given and have acknowledged', () => {
      expect(send('XDELEX s ACKED IDS 2 1-0 4-0')).to.equal('*2\r\n:2\r\n:2\r\n');
      expect(send('XACKDEL s g ACKED IDS 1 1-0')).to.equal('*1\r\n:2\r\n');
      expect(send('XACKDEL s h ACKED IDS 2 1-0 3-0')).to.equal('*2\r\n:1\r\n:-1\r\n');
      expect(send('XLEN s')).to.equal(':3\r\n');
    });

    it('answers for streams and groups that are not there, and refuses what it does not understand', () => {
      expect(send('XDELEX no IDS 2 1 2')).to.equal('*2\r\n:-1\r\n:-1\r\n');
      expect(send('XACKDEL s no IDS 1 1')).to.equal('*1\r\n:-1\r\n');
      expect(send('XDELEX s IDS 2 1-0')).to.match(/^-ERR The `numids`/);
      expect(send('XDELEX s IDS 0 1-0')).to.match(/^-ERR Number of IDs/);
      expect(send('XDELEX s FOO 1 1-0')).to.equal('-ERR syntax error\r\n');
      expect(send('XDELEX s IDS 1 x')).to.match(/^-ERR Invalid stream ID/);
    });
  });
});
