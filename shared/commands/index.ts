/** All commands by name, checked at start: a row that contradicts itself stops the process, not a client. */
import { invariant } from '../errors.js';
import { bitCommands } from './bits.js';
import { clusterCommands } from './cluster.js';
import type { Command } from './command.js';
import { connectionCommands } from './connection.js';
import { databaseCommands } from './databases.js';
import { dumpCommands } from './dumps.js';
import { expiryCommands } from './expiry.js';
import { functionCommands } from './functions.js';
import { geoCommands } from './geo.js';
import { hashCommands } from './hashes.js';
import { hyperloglogCommands } from './hyperloglogs.js';
import { keyCommands } from './keys.js';
import { listCommands } from './lists.js';
import { pubsubCommands } from './pubsub.js';
import { scriptingCommands } from './scripting.js';
import { serverCommands } from './server.js';
import { setCommands } from './sets.js';
import { sortCommands } from './sorting.js';
import { streamCommands } from './streams.js';
import { stringCommands } from './strings.js';
import { zsetCommands } from './zsets.js';
import { transactionCommands } from './transactions.js';

/** By lower-case name; subcommands are within their container. */
export const commands: ReadonlyMap<string, Command> = byName([
  ...connectionCommands,
  ...serverCommands,
  ...clusterCommands,
  ...stringCommands,
  ...bitCommands,
  ...hyperloglogCommands,
  ...listCommands,
  ...setCommands,
  ...hashCommands,
  ...zsetCommands,
  ...streamCommands,
  ...geoCommands,
  ...keyCommands,
  ...dumpCommands,
  ...sortCommands,
  ...expiryCommands,
  ...databaseCommands,
  ...transactionCommands,
  ...pubsubCommands,
  ...scriptingCommands,
  ...functionCommands,
]);

function byName(rows: readonly Command[]): Map<string, Command> {
  const table = new Map<string, Command>();
  for (const row of rows) {
    check(row);
    invariant(!table.has(row.name), `command ${row.name} is declared once`);
    table.set(row.name, row);
  }
  return table;
}

function check(row: Command): void {
  const { name, keys } = row;
  invariant(name === name.toLowerCase(), `the name of command ${name} is in lower case`);
  invariant(Number.isInteger(row.arity) && row.arity !== 0, `command ${name} has an arity`);
  // SUNSUBSCRIBE without a name means all of them
  if (keys !== null && row.run === 'keyed') checkKeys(row, keys.first, keys.last, keys.step);
  invariant(
    row.run !== 'keyed' || keys !== null || row.keyCount !== undefined || row.keysBehind !== undefined,
    `keyed command ${name} says where its keys are`,
  );
  invariant(
    row.run !== 'keyed' || row.union === undefined || keys?.last === -1,
    `the union ${name} takes any number of keys`,
  );
  invariant(row.run !== 'refused' || /^[A-Z]+ /.test(row.error), `the refusal of ${name} has an error code`);
  invariant(new Set(row.flags).size === row.flags.length, `command ${name} has each flag once`);
  const subcommands = row.subcommands ?? [];
  const names = new Set(subcommands.map((subcommand) => subcommand.name));
  invariant(names.size === subcommands.length, `the subcommands of ${name} are declared once`);
  for (const subcommand of subcommands) {
    invariant(subcommand.name.startsWith(`${name}|`), `subcommand ${subcommand.name} is named for its container`);
    check(subcommand);
  }
}

function checkKeys(row: Command, first: number, last: number, step: number): void {
  invariant(first >= 1 && step >= 1, `the first key of ${row.name} is an argument`);
  invariant(last < 0 || last >= first, `the last key of ${row.name} is not before its first`);
  invariant(first < Math.abs(row.arity), `the arity of ${row.name} makes sure of its first key`);
}
