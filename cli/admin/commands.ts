/** `tulpar admin ...`: what meta's admin API shows and does, as tables for people or, with `--json`, arrays. */
import type { Command } from 'commander';
import type { ClusterStatus } from '../../meta/admin.js';
import { OperatingError } from '../../shared/errors.js';
import { AdminClient } from './client.js';
import { columns } from './columns.js';

type Row = Readonly<Record<string, unknown>>;

/** One listing: what to ask, and which columns people see. */
interface Listing {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly string[];
  /** Rows can be narrowed to a table. */
  readonly byTable: boolean;
}

const listings: readonly Listing[] = [
  {
    name: 'nodes',
    description: 'processes of the cluster',
    columns: ['node', 'role', 'address', 'pid', 'boot', 'state', 'diskFreeBytes', 'setAside'],
    byTable: false,
  },
  {
    name: 'partitions',
    description: 'who holds each partition',
    columns: ['table', 'partition', 'slots', 'ballot', 'primary', 'secondaries', 'learners', 'state', 'committed'],
    byTable: true,
  },
  {
    name: 'recovery',
    description: 'what partitions without a primary wait for: each member, and every copy that is known',
    columns: [
      'table',
      'partition',
      'node',
      'was',
      'state',
      'ballot',
      'end',
      'applied',
      'silentMs',
      'waitingMs',
      'note',
    ],
    byTable: true,
  },
  {
    name: 'checksums',
    description: 'a checksum of every replica, each partition at one decree',
    columns: ['table', 'partition', 'node', 'decree', 'checksum', 'entries'],
    byTable: true,
  },
];
const TABLE_COLUMNS = ['table', 'id', 'partitions', 'multiKey', 'replicas', 'minReplicas'];

export function addAdmin(program: Command): void {
  const admin = addCommon(program.command('admin').description('look at and change a running cluster'), true);
  for (const listing of listings) {
    const command = addCommon(admin.command(listing.name).description(listing.description), true);
    if (listing.byTable) command.option('--table <name>', 'only of this table');
    command.action(async (_: Row, command: Command) => {
      const given = command.optsWithGlobals<Row>();
      const rows = await ask(given).get<Row[]>(`/api/${listing.name}`);
      print(
        rows.filter((row) => given['table'] === undefined || row['table'] === given['table']),
        listing.columns,
        given,
      );
    });
  }
  addStatus(admin);
  addTables(admin);
  addMovePrimary(admin);
  addRecover(admin);
}

function addStatus(admin: Command): void {
  addCommon(admin.command('status').description('whether the cluster can be used, and what it waits for'), true).action(
    async (_: Row, command: Command) => {
      const given = command.optsWithGlobals<Row>();
      const status = await ask(given).get<ClusterStatus>('/api/status');
      if (given['json'] === true) return console.log(JSON.stringify(status, null, 2));
      const { ready, partitions, serving, full, waiting } = status;
      console.log(
        `${ready ? 'ready' : 'not ready'}: ${partitions} partitions, ${serving} served, ${full} with all replicas`,
      );
      for (const { partition, waitingMs, reason, nodes } of waiting) {
        const who = nodes.length === 0 ? '' : ` (${nodes.join(', ')})`;
        console.log(`partition ${partition} waits since ${(waitingMs / 1_000).toFixed(1)} s: ${reason}${who}`);
      }
      if (waiting.length > 0) console.log('`tulpar admin recovery` shows what each member has');
    },
  );
}

function addTables(admin: Command): void {
  const tables = admin.command('tables').description('list, create and drop tables');
  addCommon(tables.command('list', { isDefault: true }).description('tables of the cluster'), true).action(
    async (_: Row, command: Command) => {
      const given = command.optsWithGlobals<Row>();
      print(await ask(given).get<Row[]>('/api/tables'), TABLE_COLUMNS, given);
    },
  );
  addCommon(tables.command('create <name>').description('create a table'), false)
    .option('--partitions <n>', 'partitions', '1')
    .option('--multi-key <any|slot>', 'whether the keys of one command may be any or must share a slot', 'slot')
    .option('--replicas <n>', 'replicas of each partition', '3')
    .option('--min-replicas <n>', 'replicas a partition needs before it takes writes (default: 2, or all when fewer)')
    .action(async (name: string, _: Row, command: Command) => {
      const given = command.optsWithGlobals<Row>();
      const replicas = Number(given['replicas']);
      await ask(given).change('POST', '/api/tables', {
        table: name,
        partitions: Number(given['partitions']),
        multiKey: given['multiKey'],
        replicas,
        minReplicas: Number(given['minReplicas'] ?? Math.min(2, replicas)),
      });
      console.log(`table ${name} created`);
    });
  addCommon(tables.command('drop <name>').description('drop a table and all that is in it'), false).action(
    async (name: string, _: Row, command: Command) => {
      const given = command.optsWithGlobals<Row>();
      await ask(given).change('DELETE', `/api/tables/${encodeURIComponent(name)}`);
      console.log(`table ${name} dropped`);
    },
  );
}

function addMovePrimary(admin: Command): void {
  addCommon(
    admin.command('move-primary').description('let a secondary take over from the primary, without a gap'),
    false,
  )
    .requiredOption('--partition <id>', 'the partition, as `admin partitions` names it')
    .requiredOption('--to <name>', 'the server of the secondary')
    .action(async (_: Row, command: Command) => {
      const given = command.optsWithGlobals<Row>();
      const partition = Number(given['partition']);
      await ask(given).change('POST', '/api/move-primary', { partition, node: given['to'] });
      console.log(`${String(given['to'])} is the primary of partition ${partition}`);
    });
}

function addRecover(admin: Command): void {
  addCommon(
    admin
      .command('recover')
      .description('choose the replica to go on with, when a partition waits for members that do not come back'),
    false,
  )
    .requiredOption('--partition <id>', 'the partition, as `admin partitions` names it')
    .requiredOption('--node <name>', 'the server whose copy is taken')
    .option('--table <name>', 'refuse unless the partition is of this table')
    .option('--force', 'yes, lose what only the other members have')
    .action(async (_: Row, command: Command) => {
      const given = command.optsWithGlobals<Row>();
      const client = ask(given);
      const partition = Number(given['partition']);
      const rows = await client.get<Row[]>('/api/partitions');
      const row = rows.find((candidate) => candidate['partition'] === partition);
      if (given['table'] !== undefined && row?.['table'] !== given['table']) {
        throw new OperatingError('E_REFUSED', `partition ${partition} is not of table ${String(given['table'])}`);
      }
      await client.change('POST', '/api/recover', { partition, node: given['node'], force: given['force'] === true });
      console.log(`partition ${partition} goes on with ${String(given['node'])}`);
    });
}

function addCommon(command: Command, listing: boolean): Command {
  command.option('--meta <host:port>', "meta's HTTP listener (default: of the local cluster started last)");
  return listing ? command.option('--json', 'an array, for programs') : command;
}

function ask(given: Row): AdminClient {
  const address = given['meta'];
  return AdminClient.find(typeof address === 'string' ? address : undefined);
}

function print(rows: readonly Row[], names: readonly string[], given: Row): void {
  console.log(given['json'] === true ? JSON.stringify(rows, null, 2) : columns(rows, names));
}
