/**
 * How arguments are written down for COMMAND DOCS: a command a line (longer lines go on, indented), its name, what it
 * costs (`-`: not told), and its arguments much as a manual shows them.
 *
 *     set O(1) key value [condition(NX | XX)@2.6.12] [GET@6.2.0] [expiration(EX:seconds:integer | KEEPTTL@6.0.0)]
 *
 * | written | means |
 * |---|---|
 * | `name`, `name:type` | a value; a string where no type is given, but for one that is named `key` |
 * | `NX`, `CH=change`, `'$'=new_id` | a word of itself, and its name where that is not the word in lower case |
 * | `EX:seconds:integer` | a word with a value behind it |
 * | `name(a \| b)`, `name{a b}` | one of them; all of them together |
 * | `[a]`, `a...`, `a&...` | may be absent; may come again; the same with its word each time |
 * | `#1` | which of the command's key specifications it belongs to; a key without one to the first |
 * | `@6.2.0`, `~6.2.0` | from this version on; deprecated from this one on |
 */
import { invariant } from '../../errors.js';

const TYPES = ['string', 'integer', 'double', 'key', 'pattern', 'unix-time'] as const;

export interface Argument {
  readonly name: string;
  readonly type: (typeof TYPES)[number] | 'pure-token' | 'oneof' | 'block';
  readonly keySpecification: number | null;
  readonly token: string | null;
  readonly since: string | null;
  readonly deprecatedSince: string | null;
  readonly flags: readonly ('optional' | 'multiple' | 'multiple_token')[];
  readonly parts: readonly Argument[];
}

/** The rest of the line, by the name of the command (`client|list` for a subcommand). */
export function linesByName(table: string): [name: string, rest: string][] {
  return table
    .trim()
    .split(/\n(?! )/)
    .map((line) => {
      const end = line.indexOf(' ');
      return [line.slice(0, end), line.slice(end + 1).replace(/\n\s+/g, ' ')];
    });
}

/** Of the rest of a line. */
export function readSyntax(rest: string): { cost: string | null; parts: readonly Argument[] } {
  const [cost = '-'] = rest.split(' ', 1);
  return { cost: cost === '-' ? null : cost, parts: new Reader(rest.slice(cost.length)).sequence() };
}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Up to the end, or to what closes it. */
  sequence(): Argument[] {
    const found: Argument[] = [];
    for (;;) {
      this.take(/ +/y);
      if (this.at === this.text.length || this.text[this.at] === '}') return found;
      found.push(this.argument());
    }
  }

  private argument(): Argument {
    if (this.take(/\[/y) !== null) {
      const inner = this.argument();
      this.expect(/\]/y);
      return { ...inner, flags: ['optional', ...inner.flags] };
    }
    const token = this.take(/'[^']*'|[A-Z][A-Z0-9_-]*/y)?.replaceAll("'", '') ?? null;
    if (token === null || this.take(/:/y) !== null) return this.value(token);
    const name = this.take(/=[\w-]+/y)?.slice(1) ?? token.toLowerCase();
    return this.ended({ name, type: 'pure-token', token, parts: [] });
  }

  private value(token: string | null): Argument {
    const name = this.expect(new RegExp(`[a-z](?:[\\w/-]|:(?!${TYPES.join('|')}))*`, 'y'));
    if (this.take(/\(/y) !== null) {
      const parts = [this.argument()];
      while (this.take(/ \| /y) !== null) parts.push(this.argument());
      this.expect(/\)/y);
      return this.ended({ name, type: 'oneof', token, parts });
    }
    if (this.take(/\{/y) !== null) {
      const parts = this.sequence();
      this.expect(/\}/y);
      return this.ended({ name, type: 'block', token, parts });
    }
    const written = this.take(new RegExp(`:(?:${TYPES.join('|')})`, 'y'))?.slice(1);
    const type = TYPES.find((known) => known === written) ?? (name === 'key' ? 'key' : 'string');
    return this.ended({ name, type, token, parts: [] });
  }

  private ended(begun: Pick<Argument, 'name' | 'type' | 'token' | 'parts'>): Argument {
    const specification = this.take(/#\d+/y);
    const again = this.take(/&?\.\.\./y);
    const version = (mark: RegExp): string | null => this.take(mark)?.slice(1) ?? null;
    return {
      ...begun,
      keySpecification: specification === null ? (begun.type === 'key' ? 0 : null) : Number(specification.slice(1)),
      flags: again === null ? [] : again === '...' ? ['multiple'] : ['multiple', 'multiple_token'],
      since: version(/@[\d.]+/y),
      deprecatedSince: version(/~[\d.]+/y),
    };
  }

  private take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.at += found.length;
    return found;
  }

  private expect(pattern: RegExp): string {
    const found = this.take(pattern);
    invariant(found !== null, `the syntax '${this.text}' has ${pattern.source} at ${this.at}`);
    return found;
  }
}
