/**
 * Meta's HTTP listener: health, metrics, and the admin API as JSON.
 *
 *   GET    /health                 200 when every partition is served, else 503; the status either way
 *   GET    /metrics                Prometheus
 *   GET    /api/status | nodes | tables | partitions | recovery | checksums[?table=NAME]
 *   POST   /api/tables             {table, partitions, multiKey, replicas, minReplicas}
 *   DELETE /api/tables/NAME
 *   POST   /api/recover            {partition, node, force}
 *   POST   /api/move-primary       {partition, node}
 *
 * Errors are `{error: {code, message}}`. What changes something must say `content-type: application/json`,
 * which a web page of another origin cannot without being asked first.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { MultiKey } from '../shared/cluster.js';
import { OperatingError } from '../shared/errors.js';
import type { Logger } from '../shared/logging.js';
import { Metrics } from '../shared/metrics.js';
import type { Admin } from './admin.js';
import type { Meta } from './meta.js';

const BODY_BYTES_MAX = 64 * 1024;
/** People, scrapers and consoles, not traffic. */
const CONNECTIONS_MAX = 256;

type Answer = (status: number, body: unknown) => void;

const SESSION_METRICS = [
  ['tulpar_sessions', 'sessions'],
  ['tulpar_session_connections', 'connections'],
  ['tulpar_session_results', 'results'],
  ['tulpar_session_bytes', 'bytes'],
] as const;

export class MetaHttp {
  private readonly meta: Meta;
  private readonly admin: Admin;
  private readonly logger: Logger;
  private readonly metrics = new Metrics('meta');
  private readonly counted = { configurationChanges: 0, proposalsRefused: 0, registrationsRefused: 0 };
  private readonly server: Server;

  constructor(meta: Meta, admin: Admin, logger: Logger) {
    this.meta = meta;
    this.admin = admin;
    this.logger = logger;
    this.server = createServer((request, response) => this.onRequest(request, response));
    this.server.maxConnections = CONNECTIONS_MAX;
  }

  /** Calls back with the port it listens on. */
  listen(host: string, port: number, done: (error: Error | null, port: number) => void): void {
    const onError = (error: Error): void => {
      done(
        new OperatingError('E_LISTEN', `meta cannot listen for HTTP on ${host}:${port}: ${error.message}`, {
          cause: error,
        }),
        0,
      );
    };
    this.server.once('error', onError);
    this.server.listen(port, host, () => {
      this.server.off('error', onError);
      this.server.on('error', (error) => this.logger.error({ error: error.message }, 'HTTP listener'));
      const address = this.server.address();
      done(null, typeof address === 'object' && address !== null ? address.port : port);
    });
  }

  close(done: () => void): void {
    this.server.close(() => done());
    this.server.closeAllConnections();
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    const answer: Answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body)}\n`);
    };
    const target = request.url ?? '/';
    if (!URL.canParse(target, 'http://meta')) return refuse(answer, 400, 'not a path');
    const { pathname, searchParams } = new URL(target, 'http://meta');
    if (request.method === 'GET') return this.onGet(pathname, searchParams, answer, response);
    if (request.method !== 'POST' && request.method !== 'DELETE')
      return refuse(answer, 405, `${request.method} is not used here`);
    if (request.headers['content-type'] !== 'application/json')
      return refuse(answer, 415, 'content-type must be application/json');
    readBody(request, (error, body) => {
      if (error !== null) return refuse(answer, 400, error.message);
      this.onChange(`${request.method} ${pathname}`, body, answer);
    });
  }

  private onGet(path: string, query: URLSearchParams, answer: Answer, response: ServerResponse): void {
    switch (path) {
      case '/health': {
        const status = this.admin.status();
        return answer(status.partitions > 0 && status.serving === status.partitions ? 200 : 503, status);
      }
      case '/metrics':
        return this.sendMetrics(response);
      case '/api/status':
        return answer(200, this.admin.status());
      case '/api/nodes':
        return answer(200, this.admin.nodes());
      case '/api/tables':
        return answer(200, this.admin.tables());
      case '/api/partitions':
        return answer(200, this.admin.partitions());
      case '/api/recovery':
        return answer(200, this.admin.recovery());
      case '/api/checksums':
        return this.admin.checksums(query.get('table'), (rows) => answer(200, rows));
      default:
        return refuse(answer, 404, `there is no ${path}`);
    }
  }

  private onChange(what: string, body: Readonly<Record<string, unknown>>, answer: Answer): void {
    const done = (error: Error | null): void => {
      if (error === null) return answer(200, {});
      const code = error instanceof OperatingError ? error.code : 'E_META';
      answer(code === 'E_REFUSED' ? 409 : 500, { error: { code, message: error.message } });
    };
    // A table's name needs no escapes in a path; one that has some names no table.
    const table = /^DELETE \/api\/tables\/([^/]+)$/.exec(what)?.[1];
    if (table !== undefined) return this.admin.dropTable(table, done);
    if (what === 'POST /api/tables') {
      const replicas = Number(body['replicas'] ?? 3);
      return this.admin.createTable(
        {
          name: String(body['table'] ?? ''),
          partitions: Number(body['partitions'] ?? 1),
          multiKey: (body['multiKey'] ?? 'slot') as MultiKey, // checked, like all of it, by checkTable
          replicas,
          minReplicas: Number(body['minReplicas'] ?? Math.min(2, replicas)),
        },
        done,
      );
    }
    if (what === 'POST /api/recover') {
      return this.admin.recover(Number(body['partition']), String(body['node']), body['force'] === true, done);
    }
    if (what === 'POST /api/move-primary')
      return this.admin.movePrimary(Number(body['partition']), String(body['node']), done);
    return refuse(answer, 404, `there is no ${what}`);
  }

  private sendMetrics(response: ServerResponse): void {
    this.refreshMetrics();
    this.metrics.text().then(
      (text) => {
        response.writeHead(200, { 'content-type': this.metrics.contentType });
        response.end(text);
      },
      (error: unknown) => {
        this.logger.error({ error: String(error) }, 'metrics');
        response.writeHead(500).end();
      },
    );
  }

  private refreshMetrics(): void {
    const { metrics, admin, meta, counted } = this;
    metrics.clear('tulpar_nodes');
    const nodes = new Map<string, number>();
    for (const { role, state } of admin.nodes())
      nodes.set(`${role}/${state}`, (nodes.get(`${role}/${state}`) ?? 0) + 1);
    for (const [key, count] of nodes) {
      const [role = '', state = ''] = key.split('/');
      metrics.set('tulpar_nodes', count, { role, state });
    }
    metrics.clear('tulpar_disk_free_bytes');
    metrics.clear('tulpar_set_aside');
    for (const { node, diskFreeBytes, setAside } of admin.nodes()) {
      if (diskFreeBytes === null || setAside === null) continue;
      metrics.set('tulpar_disk_free_bytes', diskFreeBytes, { server: node });
      metrics.set('tulpar_set_aside', setAside, { server: node });
    }
    for (const name of ['tulpar_partitions', 'tulpar_partitions_serving', 'tulpar_partitions_full'] as const)
      metrics.clear(name);
    for (const { id, name: table, replicas } of meta.tables()) {
      const records = meta.partitions().filter((record) => record.partition.table === id);
      const full = records.filter(
        ({ partition: { configuration } }) =>
          configuration.primary !== null && configuration.secondaries.length + 1 >= replicas,
      );
      metrics.set('tulpar_partitions', records.length, { table });
      metrics.set('tulpar_partitions_serving', records.filter((record) => admin.isServing(record)).length, { table });
      metrics.set('tulpar_partitions_full', full.length, { table });
    }
    for (const [name, key] of SESSION_METRICS) {
      metrics.clear(name);
      for (const { table, sessions } of admin.partitions()) metrics.add(name, sessions?.[key] ?? 0, { table });
    }
    metrics.set('tulpar_tables', meta.tables().length);
    metrics.set('tulpar_partitions_waiting', meta.waitingFor().length);
    metrics.count(
      'tulpar_configuration_changes_total',
      meta.counts.configurationChanges - counted.configurationChanges,
    );
    metrics.count('tulpar_proposals_refused_total', meta.counts.proposalsRefused - counted.proposalsRefused);
    metrics.count(
      'tulpar_registrations_refused_total',
      meta.counts.registrationsRefused - counted.registrationsRefused,
    );
    Object.assign(counted, meta.counts);
  }
}

function refuse(answer: Answer, status: number, message: string): void {
  answer(status, { error: { code: 'E_REFUSED', message } });
}

function readBody(request: IncomingMessage, done: (error: Error | null, body: Record<string, unknown>) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('error', (error) => done(error, {}));
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  });
  request.on('end', () => {
    if (bytes > BODY_BYTES_MAX) return done(new Error(`a body may have ${BODY_BYTES_MAX} bytes`), {});
    try {
      const body: unknown = bytes === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
      if (typeof body !== 'object' || body === null) return done(new Error('the body is not a JSON object'), {});
      done(null, body as Record<string, unknown>);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), {});
    }
  });
}
