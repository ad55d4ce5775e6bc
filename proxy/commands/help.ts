/** HELP of every container, from the command table. */
import { SimpleString } from '../../shared/commands/reply.js';
import type { SessionHandler } from '../context.js';

export const help: SessionHandler = ({ entry }) => {
  const container = entry.container?.command;
  const name = container?.name.toUpperCase() ?? '';
  const lines = [`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const row of container?.subcommands ?? []) {
    lines.push(row.name.slice(row.name.indexOf('|') + 1).toUpperCase(), `    ${row.summary}`);
  }
  return lines.map((line) => new SimpleString(line));
};
