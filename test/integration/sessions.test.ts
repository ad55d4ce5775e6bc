/** Exactly once through a failover, with clients that come and go: what is kept for them stays bounded (19). */
import { expect } from 'chai';
import type { PartitionRow } from '../../meta/admin.js';
import { eventually } from '../cluster/condition.js';
import { type LocalCluster, startLocalCluster } from '../cluster/local-cluster.js';
import { RespClient } from './resp-client.js';

const CONNECTIONS = 10_000;
const AT_ONCE = 100;

describe('ten thousand connections that live for one command', () => {
  let cluster: LocalCluster;

  before(async () => {
    cluster = await startLocalCluster();
  });

  after(() => cluster.stop());

  const partition = async (): Promise<PartitionRow> => {
    const [row] = await cluster.admin<PartitionRow[]>('partitions');
    return row as PartitionRow;
  };

  it('count every command once though the primary is killed, and leave nothing behind', async () => {
    const { primary } = await eventually('three members', async () => {
      const row = await partition();
      return row.state === 'serving' && row.secondaries.length === 2 ? row : undefined;
    });
    const answers: unknown[] = [];
    let begun = 0;
    let most = 0;
    const visit = async (): Promise<void> => {
      while (begun < CONNECTIONS) {
        begun++;
        if (begun === Math.floor(CONNECTIONS / 3)) process.kill(cluster.nodes().get(primary ?? '')!, 'SIGKILL');
        const client = await RespClient.open(cluster.port);
        client.send('INCR visits\r\n');
        await client.until(() => client.replies.length === 1, 'the answer');
        answers.push(client.replies[0]);
        client.socket.destroy();
        if (begun % 500 === 0) most = Math.max(most, (await partition()).sessions?.connections ?? 0);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, visit));
    expect(answers.length).to.equal(CONNECTIONS);
    expect(
      answers.filter((answer) => typeof answer !== 'number'),
      'errors',
    ).to.deep.equal([]);
    expect(new Set(answers).size, 'answers are distinct: nothing was counted twice').to.equal(CONNECTIONS);
    expect(Math.max(...(answers as number[]))).to.equal(CONNECTIONS);
    expect(most).to.be.at.most(2 * AT_ONCE);
    const last = await eventually('nothing is kept', async () => {
      const { sessions } = await partition();
      return sessions?.connections === 0 ? sessions : undefined;
    });
    expect(last).to.deep.equal({ sessions: last.sessions, connections: 0, results: 0, bytes: 0 });
    expect(last.sessions).to.be.at.most(2);
  });
});
