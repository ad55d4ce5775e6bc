/** What is read back from the log must fit the store that it is read back for. */
import { expect } from 'chai';
import type { LogRecord, MutationLog } from '../../../server/log/log.js';
import { replay, type Replayed } from '../../../server/partition/replay.js';
import { encodeMutation, MutationKind } from '../../../server/replication/mutation.js';
import { codeOf, call } from '../storage/store-conformance.js';

const body = (kind: MutationKind = MutationKind.data): Buffer =>
  encodeMutation({
    kind,
    origin: 0,
    table: 1,
    partition: 1,
    timeMs: 0,
    groups: [],
    results: [],
    annotations: [],
    sessions: [],
  });

function logOf(...records: [decree: number, ballot: number, kind?: MutationKind][]): MutationLog {
  const all: LogRecord[] = records.map(([decree, ballot, kind]) => ({
    partition: 1,
    stay: 's',
    ballot,
    decree,
    committed: decree - 1,
    body: body(kind),
  }));
  const read: MutationLog['read'] = (_partition, _stay, from, each, done) => {
    for (const record of all) if (record.decree >= from && !each(record)) break;
    done(null);
  };
  return { read } as unknown as MutationLog;
}

const replayed = (log: MutationLog, after: number, maxBytes = 1 << 20): Promise<Replayed> =>
  call((done) => replay(log, 1, 's', after, maxBytes, done));
const decrees = ({ records }: Replayed): number[][] => records.map(({ decree, ballot }) => [decree, ballot]);

describe('replaying the log of a stay', () => {
  it('takes the highest ballot of each decree, and drops what a ballot-start dropped', async () => {
    const log = logOf([1, 1], [2, 1], [3, 1], [2, 3], [3, 3, MutationKind.ballotStart]);
    expect(decrees(await replayed(log, 0))).to.deep.equal([
      [1, 1],
      [2, 3],
      [3, 3],
    ]);
    const shorter = logOf([1, 1], [2, 1], [3, 1], [2, 3, MutationKind.ballotStart]);
    expect(decrees(await replayed(shorter, 1))).to.deep.equal([[2, 3]]);
  });

  it('says E_CORRUPT for a log that does not fit the store: a decree is missing below another (21)', async () => {
    expect(await codeOf(replayed(logOf([5, 1], [6, 1]), 3))).to.equal('E_CORRUPT');
    expect(await codeOf(replayed(logOf([4, 1], [6, 1]), 3))).to.equal('E_CORRUPT');
    expect(decrees(await replayed(logOf([2, 1], [3, 1]), 3))).to.deep.equal([]);
  });

  it('goes page by page where there is much', async () => {
    const log = logOf([1, 1], [2, 1], [3, 1]);
    const first = await replayed(log, 0, body().length + 1);
    expect([decrees(first), first.more]).to.deep.equal([
      [
        [1, 1],
        [2, 1],
      ],
      true,
    ]);
    const second = await replayed(log, 2, body().length + 1);
    expect([decrees(second), second.more]).to.deep.equal([[[3, 1]], false]);
  });
});
