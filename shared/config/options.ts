/**
 * Every option of every role, as one table. The loader, `--help`, the names of flags (`--multi-key`) and
 * of environment variables (`TULPAR_MULTI_KEY`) and the type `Settings` derive from it; an option that
 * is not a row does not exist.
 */
import { hostname } from 'node:os';
import type { Role } from '../cluster.js';
import { LOG_LEVELS } from '../logging.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

export const ROLES = ['meta', 'server', 'proxy'] as const satisfies readonly Role[];

export interface OptionRow {
  /** `bytes` takes 64mb, 1g, ...; `roles` is a list with commas (a list in the file). */
  readonly type: 'string' | 'integer' | 'bytes' | 'boolean' | 'choice' | 'roles';
  readonly default: string | number | boolean | readonly string[];
  readonly unit?: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** Why the limits are where they are. */
  readonly limits?: string;
  /** What must match, and what that is in words. */
  readonly pattern?: readonly [RegExp, string];
  readonly roles: readonly Role[];
  /** Not shown in logs and reports. */
  readonly secret?: boolean;
}

const ALL = ROLES;
const META: readonly Role[] = ['meta'];
const SERVER: readonly Role[] = ['server'];
const PROXY: readonly Role[] = ['proxy'];

const PORT_LIMITS = { min: 0, max: 65_535, limits: '0 takes a free one' } as const;
const NAME: readonly [RegExp, string] = [
  /^[A-Za-z0-9_.-]{1,64}$/,
  '1 to 64 letters, digits, dots, dashes or underscores',
];

export const options = {
  // who and where
  roles: {
    type: 'roles',
    default: ['meta', 'server', 'proxy'],
    roles: ALL,
    description: 'what this process is: any of meta, server, proxy',
  },
  node: {
    type: 'string',
    default: hostname()
      .replace(/[^A-Za-z0-9_.-]/g, '-')
      .slice(0, 64),
    pattern: NAME,
    roles: ALL,
    description:
      'name of this process in the cluster; with several roles each adds its own (NODE-server, NODE-proxy); meta is always meta',
  },
  machine: {
    type: 'string',
    default: hostname(),
    roles: SERVER,
    description: 'the machine it runs on: replicas of a partition avoid sharing one',
  },
  host: {
    type: 'string',
    default: '127.0.0.1',
    roles: ALL,
    description: 'address to listen on, for every port',
  },
  advertise: {
    type: 'string',
    default: '',
    roles: ALL,
    description: 'address under which the others reach this process; host when empty',
  },
  dir: {
    type: 'string',
    default: './data',
    roles: ALL,
    description: 'folder for everything that is kept',
  },
  meta: {
    type: 'string',
    default: '127.0.0.1:7400',
    roles: ALL,
    pattern: [/^\S+:\d{1,5}$/, 'HOST:PORT'],
    description: 'wire address of meta',
  },
  clusterId: {
    type: 'string',
    default: 'tulpar',
    pattern: NAME,
    roles: ALL,
    description: 'processes of different clusters refuse each other',
  },
  secret: {
    type: 'string',
    default: '',
    roles: ALL,
    secret: true,
    description: 'shared by all processes of the cluster; whoever does not know it is refused',
  },
  // ports
  metaPort: {
    type: 'integer',
    default: 7400,
    ...PORT_LIMITS,
    roles: META,
    description: 'port of meta for servers and proxies',
  },
  httpPort: {
    type: 'integer',
    default: 7480,
    ...PORT_LIMITS,
    roles: META,
    description: 'port of meta for health, metrics and the admin API',
  },
  wirePort: {
    type: 'integer',
    default: 0,
    ...PORT_LIMITS,
    roles: SERVER,
    description: 'port of a server for proxies and other servers',
  },
  port: { type: 'integer', default: 6379, ...PORT_LIMITS, roles: PROXY, description: 'port for Redis clients' },
  // the cluster's shape
  servers: {
    type: 'integer',
    default: 3,
    min: 1,
    max: 1_000,
    roles: META,
    description: 'servers of the cluster: meta creates the default table once this many have registered',
  },
  partitions: {
    type: 'integer',
    default: 1,
    min: 1,
    max: 1_024,
    roles: META,
    limits: 'a partition costs a LevelDB with its files and memory on every server that holds it',
    description: 'partitions of the default table',
  },
  multiKey: {
    type: 'choice',
    choices: ['any', 'slot'],
    default: 'any',
    roles: META,
    description:
      'whether the keys of one command may be any, or must share a slot as in Redis Cluster; any needs one partition',
  },
  replicas: {
    type: 'integer',
    default: 3,
    min: 1,
    max: 7,
    roles: META,
    limits: 'every write waits for all of them',
    description: 'replicas of each partition of the default table, at most as many as servers',
  },
  minReplicas: {
    type: 'integer',
    default: 2,
    min: 1,
    max: 7,
    roles: META,
    description:
      'replicas a partition needs before it takes writes; fewer risk that an acknowledged write is on one disk only',
  },
  // promises
  fsync: {
    type: 'choice',
    choices: ['always', 'everysec', 'no'],
    default: 'everysec',
    roles: SERVER,
    description:
      'when a write is acknowledged: after fdatasync on every replica, or when the operating systems have it and sync each second or when they like',
  },
  leaseMs: {
    type: 'integer',
    default: 2_000,
    min: 100,
    max: 60_000,
    unit: 'ms',
    roles: SERVER,
    limits: 'shorter than four times the longest pause of an event loop, and leases are lost for nothing',
    description: 'a primary serves while every secondary answered a beacon sent this recently',
  },
  graceMs: {
    type: 'integer',
    default: 2_600,
    min: 100,
    max: 60_000,
    unit: 'ms',
    roles: SERVER,
    limits: 'must exceed leaseMs and a beacon: the old primary has stopped when a secondary takes over',
    description: 'a secondary that hears no beacon for this long takes over',
  },
  beaconMs: {
    type: 'integer',
    default: 250,
    min: 10,
    max: 10_000,
    unit: 'ms',
    roles: SERVER,
    limits: 'at most a quarter of leaseMs: a few may be late',
    description: 'time between the beacons of a primary',
  },
  metaLeaseMs: {
    type: 'integer',
    default: 4_000,
    min: 200,
    max: 120_000,
    unit: 'ms',
    roles: ['meta', 'server'],
    description:
      'a server that meta has not heard of for this long is lost; a primary without secondaries serves this long without meta',
  },
  metaHeartbeatMs: {
    type: 'integer',
    default: 400,
    min: 20,
    max: 30_000,
    unit: 'ms',
    roles: ['server', 'proxy'],
    limits: 'at most a quarter of metaLeaseMs',
    description: 'time between heartbeats to meta',
  },
  rejoinMs: {
    type: 'integer',
    default: 10_000,
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    roles: META,
    description: 'how long a server that lost its replicas is waited for before another one copies them',
  },
  requestTimeoutMs: {
    type: 'integer',
    default: 10_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    roles: PROXY,
    description: 'how long a command is retried before its client gets -UNKNOWN',
  },
  // resources
  cacheBytes: {
    type: 'bytes',
    default: 256 * MiB,
    min: 8 * MiB,
    max: 1_024 * GiB,
    roles: SERVER,
    limits: 'below 8 MiB the write buffers alone would not fit',
    description: 'all caches of a server together: block caches, write buffers, rows in memory',
  },
  threads: {
    type: 'integer',
    default: 16,
    min: 4,
    max: 256,
    roles: SERVER,
    limits: 'fewer than 4 and compactions hold up the log',
    description: 'threads for disk work (UV_THREADPOOL_SIZE)',
  },
  learnBytesPerSecond: {
    type: 'bytes',
    default: 64 * MiB,
    min: 64 * KiB,
    max: 64 * GiB,
    roles: SERVER,
    description: 'how fast a primary teaches learners, so that copying leaves room for traffic',
  },
  diskSoftBytes: {
    type: 'bytes',
    default: 512 * MiB,
    min: 0,
    max: 1_024 * GiB,
    roles: SERVER,
    description: 'with less free disk, commands that grow data are refused (-OOM)',
  },
  diskHardBytes: {
    type: 'bytes',
    default: 128 * MiB,
    min: 0,
    max: 1_024 * GiB,
    roles: SERVER,
    description: 'with less free disk, every write is refused',
  },
  maxclients: {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    roles: PROXY,
    description: 'connections of Redis clients at one proxy',
  },
  clusterEnabled: {
    type: 'boolean',
    default: false,
    roles: PROXY,
    description: 'Redis clients may use the cluster protocol: CLUSTER tells the proxies nearest to each primary',
  },
  requirepass: {
    type: 'string',
    default: '',
    roles: PROXY,
    secret: true,
    description: 'password of the default user, until ACL or CONFIG SET changes that user; none when empty',
  },
  // reports
  logLevel: {
    type: 'choice',
    choices: LOG_LEVELS,
    default: 'info',
    roles: ALL,
    description: 'least severity that is logged',
  },
} as const satisfies Record<string, OptionRow>;

type Options = typeof options;
export type OptionName = keyof Options;

type ValueOf<Row extends OptionRow> = Row['type'] extends 'integer' | 'bytes'
  ? number
  : Row['type'] extends 'boolean'
    ? boolean
    : Row['type'] extends 'roles'
      ? readonly Role[]
      : Row extends { readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** One value for every row. */
export type Settings = { readonly [Name in OptionName]: ValueOf<Options[Name]> };

export const optionNames = Object.keys(options) as OptionName[];

/** `multiKey` → `--multi-key` */
export function flagOf(name: OptionName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `multiKey` → `TULPAR_MULTI_KEY` */
export function variableOf(name: OptionName): string {
  return `TULPAR_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
