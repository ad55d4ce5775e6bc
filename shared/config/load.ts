/**
 * Settings from, in rising precedence: the defaults of the table, a JSON file, the environment, flags.
 * A key that no row has, and a value that its row does not allow, end the start with E_CONFIG and their
 * name: a typing mistake must not silently run a cluster with defaults.
 */
import { readFileSync } from 'node:fs';
import { OperatingError } from '../errors.js';
import { flagOf, type OptionName, optionNames, options, type Settings, variableOf } from './options.js';
import { parseValue, type Value } from './values.js';

export interface Sources {
  /** Path of the file, if one was given. */
  readonly file?: string;
  /** By variable name; those that do not begin with TULPAR_ are somebody else's. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** By option name, as written. */
  readonly flags: Readonly<Partial<Record<OptionName, string>>>;
  /** Values that a command gives where the table has another default. */
  readonly defaults?: Readonly<Partial<Record<OptionName, Value>>>;
}

/** Throws an OperatingError with code E_CONFIG. */
export function loadSettings(sources: Sources): Settings {
  const values = new Map<OptionName, Value>();
  for (const name of optionNames) values.set(name, sources.defaults?.[name] ?? (options[name].default as Value));
  for (const [name, raw, source] of [
    ...fromFile(sources.file),
    ...fromEnvironment(sources.environment),
    ...fromFlags(sources.flags),
  ]) {
    values.set(name, parseValue(name, raw, source));
  }
  const settings = Object.fromEntries(values) as unknown as Settings;
  checkTogether(settings);
  return settings;
}

type Given = readonly [name: OptionName, raw: unknown, source: string];

function fromFile(path: string | undefined): Given[] {
  if (path === undefined) return [];
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new OperatingError(
      'E_CONFIG',
      `${path} cannot be read as JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new OperatingError('E_CONFIG', `${path} does not hold a JSON object`);
  }
  return Object.entries(content).map(([key, raw]) => {
    if (!isOption(key)) throw new OperatingError('E_CONFIG', `${path}: unknown key ${JSON.stringify(key)}`);
    return [key, raw, path];
  });
}

function fromEnvironment(environment: Sources['environment']): Given[] {
  const byVariable = new Map(optionNames.map((name) => [variableOf(name), name]));
  return Object.entries(environment).flatMap(([variable, raw]): Given[] => {
    if (!variable.startsWith('TULPAR_') || raw === undefined) return [];
    const name = byVariable.get(variable);
    if (name === undefined) throw new OperatingError('E_CONFIG', `unknown environment variable ${variable}`);
    return [[name, raw, variable]];
  });
}

function fromFlags(flags: Sources['flags']): Given[] {
  return Object.entries(flags).map(([key, raw]) => {
    if (!isOption(key)) throw new OperatingError('E_CONFIG', `unknown flag for ${JSON.stringify(key)}`);
    return [key, raw, flagOf(key)];
  });
}

function isOption(key: string): key is OptionName {
  return Object.hasOwn(options, key);
}

/** What no row can say alone. */
function checkTogether(settings: Settings): void {
  const refuse = (reason: string): never => {
    throw new OperatingError('E_CONFIG', reason);
  };
  const { leaseMs, graceMs, beaconMs, metaLeaseMs, metaHeartbeatMs, multiKey, partitions, replicas, minReplicas } =
    settings;
  if (multiKey === 'any' && partitions > 1) {
    refuse(
      `partitions: ${partitions} with multiKey any: a table whose commands may take any keys has one partition; use multiKey slot`,
    );
  }
  if (minReplicas > replicas) refuse(`minReplicas: ${minReplicas} is more than replicas (${replicas})`);
  if (beaconMs * 4 > leaseMs) refuse(`beaconMs: ${beaconMs} is more than a quarter of leaseMs (${leaseMs})`);
  if (graceMs < leaseMs + beaconMs)
    refuse(`graceMs: ${graceMs} is less than leaseMs and beaconMs together (${leaseMs + beaconMs})`);
  if (metaHeartbeatMs * 4 > metaLeaseMs)
    refuse(`metaHeartbeatMs: ${metaHeartbeatMs} is more than a quarter of metaLeaseMs (${metaLeaseMs})`);
  if (settings.diskHardBytes > settings.diskSoftBytes) refuse('diskHardBytes: is more than diskSoftBytes');
}
