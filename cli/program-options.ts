/**
 * The table of options as flags of a commander command, and back: commander reads the command line and
 * prints the help, the loader in shared/config decides what is valid.
 */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { loadSettings } from '../shared/config/load.js';
import {
  flagOf,
  type OptionName,
  optionNames,
  type OptionRow,
  options,
  type Settings,
  variableOf,
} from '../shared/config/options.js';
import { processEnvironment } from '../shared/config/process-environment.js';
import type { Value } from '../shared/config/values.js';
import { OperatingError } from '../shared/errors.js';

type Overrides = Readonly<Partial<Record<OptionName, Value>>>;

/** `defaults`: where this command differs from the table. `without`: what it decides by itself. */
export function addSettings(command: Command, defaults: Overrides = {}, without: readonly OptionName[] = []): Command {
  for (const name of optionNames) {
    if (!without.includes(name))
      command.addOption(new Option(`${flagOf(name)} <${placeholder(options[name])}>`, describe(name, defaults)));
  }
  command.addOption(
    new Option('--config <file>', 'JSON file with any of these, by the names of their flags in camelCase'),
  );
  return command;
}

/** What was given on the command line, as a set of option names, and the settings from all sources. */
export function readSettings(
  given: Readonly<Record<string, unknown>>,
  defaults: Overrides = {},
  without: readonly OptionName[] = [],
): Settings {
  const { config, ...rest } = given;
  const flags = Object.fromEntries(Object.entries(rest).filter(([, value]) => typeof value === 'string')) as Partial<
    Record<OptionName, string>
  >;
  const settings = loadSettings({
    environment: processEnvironment(),
    flags,
    defaults,
    ...(typeof config === 'string' ? { file: config } : {}),
  });
  for (const name of without) {
    if (settings[name] !== (defaults[name] ?? options[name].default)) {
      throw new OperatingError('E_CONFIG', `${name} is decided by this command and cannot be set`);
    }
  }
  return settings;
}

function placeholder(row: OptionRow): string {
  if (row.choices !== undefined) return row.choices.join('|');
  if (row.type === 'integer') return row.unit ?? 'n';
  return { bytes: 'size', boolean: 'bool', roles: 'list', string: 'text', choice: 'text' }[row.type];
}

function describe(name: OptionName, defaults: Overrides): string {
  const row: OptionRow = options[name];
  const value = defaults[name] ?? row.default;
  const shown =
    value === ''
      ? 'none'
      : Array.isArray(value)
        ? value.join(',')
        : row.type === 'bytes'
          ? sizeText(Number(value))
          : String(value);
  const range = row.limits === undefined ? '' : `; ${row.limits}`;
  return `${row.description} [${row.roles.join(', ')}; default ${shown}; ${variableOf(name)}${range}]`;
}

function sizeText(bytes: number): string {
  const units = [
    ['gib', 2 ** 30],
    ['mib', 2 ** 20],
    ['kib', 2 ** 10],
  ] as const;
  for (const [unit, size] of units) if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  return String(bytes);
}

export function version(): string {
  // dist/cli/program-options.js: the package is two folders up.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
