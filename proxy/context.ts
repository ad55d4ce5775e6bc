/** What command handlers see of the proxy, and the shape of a handler. */
import type { Environment } from '../shared/environment.js';
import type { Logger } from '../shared/logging.js';
import type { Reply } from '../shared/commands/reply.js';
import type { Router } from '../shared/routing/router.js';
import type { RoutedTable } from '../shared/routing/routing-table.js';
import type { AclLog } from './acl-log.js';
import type { Catalogue, CatalogueEntry } from './catalogue.js';
import type { ClientRegistry } from './client-registry.js';
import type { ClusterMap } from './cluster-map.js';
import type { Configuration } from './configuration.js';
import type { LatencyMonitor } from './latency-monitor.js';
import type { Messaging } from './messaging.js';
import type { Session } from './session.js';
import type { Slowlog } from './slowlog.js';
import type { Statistics } from './statistics.js';
import type { TurnClock } from './turn-clock.js';
import type { Users } from './users.js';

/** Databases 0 to 15, as Redis has by default. */
export const DATABASES = 16;

/** What the process around the proxy can do for it. */
export interface ProxyHooks {
  /** SHUTDOWN: stop this process in good order. */
  readonly shutdown: () => void;
}

export interface ProxyContext {
  readonly environment: Environment;
  readonly clock: TurnClock;
  readonly logger: Logger;
  readonly router: Router;
  /** The table that databases 0 to 15 are in. */
  readonly table: RoutedTable;
  readonly catalogue: Catalogue;
  /** Null: the cluster protocol is off. */
  readonly cluster: ClusterMap | null;
  readonly clients: ClientRegistry;
  readonly configuration: Configuration;
  readonly statistics: Statistics;
  readonly slowlog: Slowlog;
  readonly latency: LatencyMonitor;
  readonly users: Users;
  readonly aclLog: AclLog;
  readonly messaging: Messaging;
  readonly hooks: ProxyHooks;
  /** 40 hex digits, of this boot. */
  readonly runId: string;
  readonly startedAtMs: number;
  readonly port: number;
  /** Queues the session's output for the end of this turn. */
  flushLater(session: Session): void;
}

/** A handler that answers later returns this. */
export const LATER = Symbol('answers later');

/** One execution of a session command. */
export interface Call {
  readonly proxy: ProxyContext;
  readonly session: Session;
  readonly entry: CatalogueEntry;
  /** Without the command's name and, for a subcommand, without that. */
  readonly args: readonly Buffer[];
  /** Within EXEC: the reply becomes a part of EXEC's. */
  readonly nested: boolean;
  /** Keeps the place of the reply in the session's order; the handler returns LATER and calls the result once. */
  later(): (reply: Reply) => void;
  /** For statistics and the slow log, where one command executes others. */
  finished(entry: CatalogueEntry, args: readonly Buffer[], startedAtMs: number, reply: Reply): void;
}

/** Throws ClientError for a client's error. */
export type SessionHandler = (call: Call) => Reply | typeof LATER;
