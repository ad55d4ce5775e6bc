/** All handlers by the name of their command. */
import type { Handlers } from '../catalogue.js';
import type { SessionHandler } from '../context.js';
import { aclHandlers } from './acl.js';
import { clientHandlers } from './client.js';
import { clusterHandlers } from './cluster.js';
import { commandHandlers } from './command.js';
import { configHandlers } from './config.js';
import { connectionHandlers } from './connection.js';
import { debugHandlers } from './debug.js';
import { infoHandlers } from './info.js';
import { keyspaceHandlers } from './keyspace.js';
import { memoryHandlers } from './memory.js';
import { migrateHandlers } from './migrate.js';
import { monitoringHandlers } from './monitoring.js';
import { pubsubHandlers } from './pubsub.js';
import { serverHandlers } from './server.js';
import { transactionHandlers } from './transactions.js';

export const handlers: Handlers = new Map<string, SessionHandler>(
  Object.entries({
    ...aclHandlers,
    ...clientHandlers,
    ...clusterHandlers,
    ...commandHandlers,
    ...configHandlers,
    ...connectionHandlers,
    ...debugHandlers,
    ...infoHandlers,
    ...keyspaceHandlers,
    ...memoryHandlers,
    ...migrateHandlers,
    ...monitoringHandlers,
    ...pubsubHandlers,
    ...serverHandlers,
    ...transactionHandlers,
  }),
);
