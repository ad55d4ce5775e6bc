/** SLOWLOG and LATENCY: what took long at this proxy. */
import { at } from '../../shared/commands/arguments.js';
import { MapReply, OK, type Reply, VerbatimReply } from '../../shared/commands/reply.js';
import { ClientError } from '../../shared/errors.js';
import { parseInteger } from '../../shared/integers.js';
import type { SessionHandler } from '../context.js';
import { help } from './help.js';

const slowlogGet: SessionHandler = ({ proxy, args }) => {
  if (args.length > 1)
    throw new ClientError("ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.");
  let count = 10;
  if (args.length === 1) {
    const value = parseInteger(at(args, 0));
    if (value === null || value < -1) throw new ClientError('ERR count should be greater than or equal to -1');
    count = value === -1 ? proxy.slowlog.entries.length : Number(value);
  }
  return proxy.slowlog.entries
    .slice(0, count)
    .map((entry): Reply => [entry.id, entry.atS, entry.usec, entry.args, entry.address, entry.clientName]);
};

const slowlogLen: SessionHandler = ({ proxy }) => proxy.slowlog.entries.length;

const slowlogReset: SessionHandler = ({ proxy }) => {
  proxy.slowlog.reset();
  return OK;
};

const latest: SessionHandler = ({ proxy }) =>
  [...proxy.latency.events].map(([name, event]): Reply => {
    const last = event.samples.at(-1);
    return [name, last?.atS ?? 0, last?.ms ?? 0, event.maxMs];
  });

const history: SessionHandler = ({ proxy, args }) =>
  (proxy.latency.events.get(at(args, 0).toString('latin1'))?.samples ?? []).map(
    (sample): Reply => [sample.atS, sample.ms],
  );

const latencyReset: SessionHandler = ({ proxy, args }) =>
  proxy.latency.reset(args.map((name) => name.toString('latin1')));

const GRAPH_ROWS = 8;

/** A column a sample, the oldest at the left. */
const graph: SessionHandler = ({ proxy, args }) => {
  const name = at(args, 0).toString('utf8', 0, 128);
  const event = proxy.latency.events.get(name);
  if (event === undefined) throw new ClientError(`ERR No samples available for event '${name}'`);
  const values = event.samples.slice(-80).map((sample) => sample.ms);
  const high = Math.max(...values, 1);
  const low = Math.min(...values);
  const rows = Array.from({ length: GRAPH_ROWS }, (_, row) =>
    values.map((value) => (value * GRAPH_ROWS >= high * (GRAPH_ROWS - row) ? '#' : ' ')).join(''),
  );
  const title = `${name} - high ${high} ms, low ${low} ms (all time high ${event.maxMs} ms)`;
  return new VerbatimReply('txt', [title, '-'.repeat(80), ...rows, ''].join('\n'));
};

const doctor: SessionHandler = ({ proxy }) => {
  if (proxy.configuration.settings.latencyThresholdMs === 0) {
    return new VerbatimReply(
      'txt',
      'Latency monitoring is off. CONFIG SET latency-monitor-threshold MILLISECONDS turns it on at this proxy.\n',
    );
  }
  const lines = [...proxy.latency.events].map(
    ([name, event]) =>
      `${name}: ${event.samples.length} latency spikes, worst ${event.maxMs} ms. Times are from a request's arrival to its reply, the replicas' acknowledgements included.\n`,
  );
  return new VerbatimReply('txt', lines.length === 0 ? 'No latency spike was seen by this proxy.\n' : lines.join(''));
};

const histogram: SessionHandler = ({ proxy, args }) => {
  const wanted =
    args.length === 0
      ? [...proxy.catalogue.all()]
      : args.flatMap((argument) => {
          const entry = proxy.catalogue.findFull(argument.toString('latin1'));
          if (entry === undefined) return [];
          return entry.subcommands === null ? [entry] : [entry, ...entry.subcommands.values()];
        });
  const entries = wanted.filter(({ statistics }) => statistics.latency.total > 0);
  return new MapReply(
    entries.flatMap((entry): Reply[] => [
      entry.name,
      new MapReply([
        'calls',
        entry.statistics.latency.total,
        'histogram_usec',
        new MapReply(entry.statistics.latency.cumulative().flat()),
      ]),
    ]),
  );
};

const monitor: SessionHandler = ({ proxy, session }) => {
  proxy.messaging.monitors.add(session);
  return OK;
};

export const monitoringHandlers = {
  monitor,
  'slowlog|get': slowlogGet,
  'slowlog|len': slowlogLen,
  'slowlog|reset': slowlogReset,
  'slowlog|help': help,
  'latency|latest': latest,
  'latency|history': history,
  'latency|reset': latencyReset,
  'latency|graph': graph,
  'latency|doctor': doctor,
  'latency|histogram': histogram,
  'latency|help': help,
} satisfies Record<string, SessionHandler>;
