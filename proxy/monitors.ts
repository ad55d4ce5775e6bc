/**
 * MONITOR: connections that are shown every command of this proxy once it has been executed, as Redis writes them.
 * Commands of administrators are not shown, nor are passwords.
 */
import { SimpleString } from '../shared/commands/reply.js';
import { type CatalogueEntry, namesIn } from './catalogue.js';
import { redacted } from './redaction.js';
import type { Session } from './session.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};

export class Monitors {
  private readonly sessions = new Set<Session>();

  get any(): boolean {
    return this.sessions.size > 0;
  }

  add(session: Session): void {
    this.sessions.add(session);
  }

  remove(session: Session): void {
    this.sessions.delete(session);
  }

  has(session: Session): boolean {
    return this.sessions.has(session);
  }

  /** What a script called, with its name in front, in this database. */
  showCalled(db: number, words: readonly Buffer[], wallMs: number): void {
    this.tell(`[${db} lua]`, words, wallMs);
  }

  /** `wallMs`: since 1970. `calledAs`: the command's name as it came, in latin1. */
  show(session: Session, entry: CatalogueEntry, args: readonly Buffer[], wallMs: number, calledAs = entry.name): void {
    const { name, command } = entry;
    if (command.flags.includes('admin')) return;
    const words = [...namesIn(entry, calledAs), ...redacted(name, args)];
    this.tell(`[${session.database} ${session.address}]`, words, wallMs);
  }

  private tell(whose: string, words: readonly Buffer[], wallMs: number): void {
    const seconds = Math.floor(wallMs / 1000);
    const micros = String(Math.floor((wallMs % 1000) * 1000)).padStart(6, '0');
    const line = new SimpleString(`${seconds}.${micros} ${whose} ${words.map(quoted).join(' ')}`);
    for (const monitor of this.sessions) monitor.push(line);
  }
}

function quoted(arg: Buffer): string {
  const text = arg.latin1Slice(0, arg.length).replace(/[\\"]|[^ -~]/g, (character) => {
    return ESCAPES[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${text}"`;
}
