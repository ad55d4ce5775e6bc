/**
 * A network of its own for each process, on one bridge that leads nowhere else: so that packets between any two of
 * them, and in one direction only, can be dropped or lost at random, and links made slow. Clients stay outside, and
 * reach the processes through the bridge.
 *
 * Names carry the number of the process that made them: what a killed run left is removed by the next one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const NAMESPACES = '/run/netns';
const PREFIX = 'tulpar-chaos';
/** 198.18.0.0/15 is reserved for tests of networks (RFC 2544). */
const NETWORK = '198.18';
const FIRST_HOST = 11;

/** What is done to packets that come in at one process. */
export type PacketRule =
  | { readonly kind: 'drop'; readonly from: string }
  | { readonly kind: 'lose'; readonly percent: number };

export class Namespaces {
  private readonly names: readonly string[];
  private readonly subnet: string;
  private readonly rules = new Map<string, PacketRule[]>();

  constructor(names: readonly string[]) {
    this.names = names;
    this.subnet = `${NETWORK}.${process.pid % 256}`;
    removeLeftovers();
    try {
      this.make();
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  addressOf(name: string): string {
    return `${this.subnet}.${FIRST_HOST + this.names.indexOf(name)}`;
  }

  prefixOf(name: string): readonly string[] {
    return ['nsenter', `--net=${NAMESPACES}/${this.namespaceOf(name)}`];
  }

  /** Packets from one process no longer reach another; the other direction stays. */
  drop(from: string, to: string): void {
    this.addRule(to, { kind: 'drop', from });
  }

  /** So many of a hundred packets to this process are lost. */
  lose(name: string, percent: number): void {
    this.addRule(name, { kind: 'lose', percent });
  }

  /** What this process sends leaves at this rate. */
  slow(name: string, kilobitsPerSecond: number): void {
    const bucket = ['rate', `${kilobitsPerSecond}kbit`, 'burst', '16kb', 'latency', '400ms'];
    this.inside(name, 'tc', ['qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', ...bucket]);
  }

  /** Breaks every connection of this process, for both ends. */
  cut(name: string): void {
    this.inside(name, 'ss', ['-K', '-t', 'src', this.addressOf(name)]);
  }

  /** Every packet arrives again. */
  heal(): void {
    for (const name of this.rules.keys()) {
      this.rules.set(name, []);
      this.applyRules(name);
    }
    for (const name of this.names) {
      if (this.slowed(name)) this.inside(name, 'tc', ['qdisc', 'del', 'dev', 'eth0', 'root']);
    }
  }

  remove(): void {
    // A namespace goes some time after its name does, and its links with it: these go at once.
    this.names.forEach((_, at) => quietly('ip', ['link', 'del', linkName(at)]));
    for (const name of this.names) quietly('ip', ['netns', 'del', this.namespaceOf(name)]);
    quietly('ip', ['link', 'del', bridgeName()]);
  }

  private make(): void {
    const bridge = bridgeName();
    run('ip', ['link', 'add', bridge, 'type', 'bridge']);
    run('ip', ['addr', 'add', `${this.subnet}.1/24`, 'dev', bridge]);
    run('ip', ['link', 'set', bridge, 'up']);
    this.names.forEach((name, at) => {
      const namespace = this.namespaceOf(name);
      const outer = linkName(at);
      run('ip', ['netns', 'add', namespace]);
      run('ip', ['link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
      run('ip', ['link', 'set', outer, 'master', bridge, 'up']);
      run('ip', ['-n', namespace, 'addr', 'add', `${this.addressOf(name)}/24`, 'dev', 'eth0']);
      for (const link of ['eth0', 'lo']) run('ip', ['-n', namespace, 'link', 'set', link, 'up']);
    });
  }

  private namespaceOf(name: string): string {
    return `${PREFIX}-${process.pid}-${name}`;
  }

  private slowed(name: string): boolean {
    return this.inside(name, 'tc', ['qdisc', 'show', 'dev', 'eth0']).includes('tbf');
  }

  private addRule(name: string, rule: PacketRule): void {
    this.rules.set(name, [...(this.rules.get(name) ?? []), rule]);
    this.applyRules(name);
  }

  private applyRules(name: string): void {
    const lines = (this.rules.get(name) ?? []).map((rule) =>
      rule.kind === 'drop'
        ? `ip saddr ${this.addressOf(rule.from)} drop`
        : `meta l4proto tcp numgen random mod 100 < ${rule.percent} drop`,
    );
    const table = ['table inet chaos {', 'chain input {', 'type filter hook input priority 0;', ...lines, '}', '}'];
    // As one transaction: the table is there (or made), goes, and comes back with these rules.
    this.inside(name, 'nft', ['-f', '-'], ['table inet chaos', 'delete table inet chaos', ...table, ''].join('\n'));
  }

  private inside(name: string, program: string, words: readonly string[], input = ''): string {
    const [nsenter = '', ...enter] = this.prefixOf(name);
    return execFileSync(nsenter, [...enter, program, ...words], { input, encoding: 'utf8' });
  }
}

/** The end outside of the namespace. */
function linkName(at: number): string {
  return `c${process.pid}v${at}`;
}

function bridgeName(): string {
  return `c${process.pid}br`;
}

function run(program: string, words: readonly string[]): void {
  execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** For what may be gone already. */
function quietly(program: string, words: readonly string[]): void {
  try {
    run(program, words);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

/** What runs that were killed have left. A veth pair goes with its namespace. */
function removeLeftovers(): void {
  if (!existsSync(NAMESPACES)) return;
  for (const namespace of readdirSync(NAMESPACES)) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(namespace)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    quietly('ip', ['netns', 'del', namespace]);
    quietly('ip', ['link', 'del', `c${pid}br`]);
  }
}
