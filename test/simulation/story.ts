/** What a run's processes log, as lines that a person reads: time, who, what, and the fields. */
import type { Logger } from '../../shared/logging.js';
import { Kind } from '../../shared/wire/messages.js';
import type { Cluster } from './cluster.js';

export function storyLogger(tell: (line: string) => void, fields: Record<string, unknown> = {}): Logger {
  const line = (level: string, more: object, message: string): void => {
    const { node, boot, ...rest } = { ...fields, ...more } as Record<string, unknown>;
    const details = Object.entries(rest).map(([name, value]) => `${name}=${readable(value)}`);
    tell(
      `${String(node ?? '')}${boot === undefined ? '' : ` (${String(boot)})`} ${level} ${message} ${details.join(' ')}`,
    );
  };
  return {
    debug: (more, message) => line('debug', more, message),
    info: (more, message) => line('info', more, message),
    warn: (more, message) => line('WARN', more, message),
    error: (more, message) => line('ERROR', more, message),
    child: (more) => storyLogger(tell, { ...fields, ...more }),
  };
}

/** Every message that is sent, in short. */
export function tellMessages(cluster: Cluster, tell: (line: string) => void): void {
  const names = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));
  const { wires } = cluster;
  const { onSend } = wires;
  wires.onSend = (from, to, message) => {
    tell(`${from.self.node} > ${to} ${names.get(message[0]) ?? ''} ${JSON.stringify(message.slice(1), short)}`);
    onSend(from, to, message);
  };
}

function short(_name: string, value: unknown): unknown {
  const bytes = value as { type?: string; data?: number[] } | null;
  return typeof value === 'object' && bytes?.type === 'Buffer' ? `${bytes.data?.length ?? 0} bytes` : value;
}

function readable(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
