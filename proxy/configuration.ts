/**
 * CONFIG of one proxy, kept in memory: what Redis 7.0 knows is accepted and echoed, and `settings` has what
 * means something here. Values that start-up gives (port, password) come from the cluster's own
 * configuration; a restart forgets what CONFIG SET changed.
 */
import { ClientError } from '../shared/errors.js';
import { globMatches } from '../shared/glob.js';
import type { TranslateContext } from '../shared/commands/command.js';
import { configParameters, type Parameter } from './config-parameters.js';
import { mergeOutputLimits, normalizeValue, parseOutputLimits, words, type OutputLimit } from './config-values.js';

/** The parameters that act, read on every command and therefore worked out at every change. */
export interface Settings {
  readonly maxClients: number;
  readonly idleTimeoutS: number;
  readonly tcpKeepaliveS: number;
  readonly protoMaxBulkLen: number;
  readonly queryBufferLimit: number;
  readonly normalOutputLimit: OutputLimit;
  readonly pubsubOutputLimit: OutputLimit;
  /** -1: none are logged. */
  readonly slowerThanUsec: number;
  readonly slowlogMaxLen: number;
  readonly aclLogMaxLen: number;
  /** 0: not watched. */
  readonly latencyThresholdMs: number;
  readonly latencyTracking: boolean;
  /** Keys that clients may have cached, of which so many are remembered; 0: all. */
  readonly trackingKeysMax: number;
  readonly percentiles: readonly number[];
  /** What the translation of commands needs to know. */
  readonly translation: Pick<
    TranslateContext,
    'lfu' | 'hashLimits' | 'zsetLimits' | 'streamNodes' | 'sketchSparseBytes' | 'busyAfterMs' | 'scriptsMayAll'
  >;
}

const NO_LIMIT: OutputLimit = { hardBytes: 0, softBytes: 0, softSeconds: 0 };

export class Configuration {
  settings: Settings;
  /**
   * Until then (monotonic ms) what grows is refused already when it is queued in a transaction, as in Redis: so it was when
   * the table was asked last.
   */
  outOfMemoryUntilMs = 0;
  /** Told after every change. */
  onChange: () => void = () => undefined;
  private readonly parameters = new Map<string, Parameter>(
    configParameters.map((parameter) => [parameter.name, parameter]),
  );
  private readonly values = new Map<string, string>();

  private scriptsMayAll = false;

  /** `initial`: by name, what differs from Redis's defaults. */
  constructor(initial: Readonly<Record<string, string>> = {}) {
    for (const parameter of configParameters) {
      if (parameter.type.kind !== 'alias')
        this.values.set(parameter.name, initial[parameter.name] ?? parameter.initial);
    }
    this.settings = this.workOut();
  }

  get(name: string): string {
    return this.values.get(this.canonical(name)) ?? '';
  }

  /** Name, value, name, value of all that match one of the globs. */
  match(patterns: readonly Buffer[]): string[] {
    const found: string[] = [];
    for (const [name, { hidden }] of this.parameters) {
      const bytes = Buffer.from(name);
      const wanted = patterns.some((pattern) =>
        hidden === true ? pattern.equals(bytes) : globMatches(pattern, bytes, true),
      );
      if (wanted) found.push(name, this.get(name));
    }
    return found;
  }

  /** All of the pairs or, with an error, none. Throws ClientError. */
  set(pairs: readonly (readonly [name: string, value: string])[]): void {
    for (const [name, value] of this.check(pairs)) this.values.set(name, value);
    this.settings = this.workOut();
    this.onChange();
  }

  /** The pairs as they would be kept. Throws ClientError. */
  check(pairs: readonly (readonly [name: string, value: string])[]): ReadonlyMap<string, string> {
    const changes = new Map<string, string>();
    for (const [given, value] of pairs) {
      const name = given.toLowerCase();
      const parameter = this.parameters.get(this.canonical(name));
      if (parameter === undefined)
        throw new ClientError(`ERR Unknown option or number of arguments for CONFIG SET - '${given}'`);
      try {
        if (!parameter.mutable) throw new ClientError("can't set immutable config");
        if (changes.has(parameter.name)) throw new ClientError('duplicate parameter');
        changes.set(parameter.name, this.normalize(parameter, value));
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        throw new ClientError(`ERR CONFIG SET failed (possibly related to argument '${given}') - ${error.message}`);
      }
    }
    return changes;
  }

  /** Values of the whole table, which another proxy may have set. */
  adopt(values: Readonly<Record<string, string>>): void {
    const changed = Object.entries(values).filter(([name, value]) => this.values.get(name) !== value);
    if (changed.length === 0) return;
    for (const [name, value] of changed) this.values.set(name, value);
    this.settings = this.workOut();
    this.onChange();
  }

  private normalize(parameter: Parameter, value: string): string {
    const { name } = parameter;
    const normal =
      name === 'client-output-buffer-limit'
        ? mergeOutputLimits(this.get(name), value)
        : normalizeValue(parameter, value);
    if ((name === 'port' || name === 'bind') && normal !== this.get(name)) {
      throw new ClientError('Unable to listen on this port: the address of a proxy is fixed when it starts');
    }
    return normal;
  }

  private canonical(name: string): string {
    const type = this.parameters.get(name)?.type;
    return type?.kind === 'alias' ? type.of : name;
  }

  private number(name: string): number {
    return Number(this.get(name));
  }

  /** Nothing where they are Redis's defaults, so that operations need not carry them. */
  private compactLimits(
    name: 'hashLimits' | 'zsetLimits' | 'streamNodes',
    names: readonly [entries: string, bytes: string],
  ): Partial<Settings['translation']> {
    if (names.every((each) => this.get(each) === this.parameters.get(each)?.initial)) return {};
    return { [name]: names.map((each) => this.number(each)) };
  }

  private sketchSparseBytes(): Partial<Settings['translation']> {
    const name = 'hll-sparse-max-bytes';
    return this.get(name) === this.parameters.get(name)?.initial ? {} : { sketchSparseBytes: this.number(name) };
  }

  /** DEBUG SET-DISABLE-DENY-SCRIPTS. */
  allowAllInScripts(allowed: boolean): void {
    this.scriptsMayAll = allowed;
    this.settings = this.workOut();
  }

  private busyAfterMs(): Partial<Settings['translation']> {
    const name = 'busy-reply-threshold';
    return this.get(name) === this.parameters.get(name)?.initial ? {} : { busyAfterMs: this.number(name) };
  }

  private workOut(): Settings {
    const outputLimits = parseOutputLimits(this.get('client-output-buffer-limit'));
    return {
      maxClients: this.number('maxclients'),
      idleTimeoutS: this.number('timeout'),
      tcpKeepaliveS: this.number('tcp-keepalive'),
      protoMaxBulkLen: this.number('proto-max-bulk-len'),
      queryBufferLimit: this.number('client-query-buffer-limit'),
      normalOutputLimit: outputLimits.get('normal') ?? NO_LIMIT,
      pubsubOutputLimit: outputLimits.get('pubsub') ?? NO_LIMIT,
      slowerThanUsec: this.number('slowlog-log-slower-than'),
      slowlogMaxLen: this.number('slowlog-max-len'),
      aclLogMaxLen: this.number('acllog-max-len'),
      latencyThresholdMs: this.number('latency-monitor-threshold'),
      trackingKeysMax: this.number('tracking-table-max-keys'),
      latencyTracking: this.get('latency-tracking') === 'yes',
      percentiles: words(this.get('latency-tracking-info-percentiles')).map(Number),
      translation: {
        lfu: this.get('maxmemory-policy').endsWith('-lfu'),
        ...this.compactLimits('hashLimits', ['hash-max-listpack-entries', 'hash-max-listpack-value']),
        ...this.compactLimits('zsetLimits', ['zset-max-listpack-entries', 'zset-max-listpack-value']),
        ...this.compactLimits('streamNodes', ['stream-node-max-entries', 'stream-node-max-bytes']),
        ...this.sketchSparseBytes(),
        ...this.busyAfterMs(),
        ...(this.scriptsMayAll ? { scriptsMayAll: true } : {}),
      },
    };
  }
}
