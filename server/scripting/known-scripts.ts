/**
 * The scripts that a partition knows by their SHA-1. What SCRIPT LOAD brought are records, replicated and persistent, so
 * that EVALSHA finds it through every proxy and after every failover. What EVAL brought is known to this primary only, as
 * long as there is room, as Redis forgets it, too, when it restarts: clients are told NOSCRIPT then and send the text.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { View } from '../execution/view.js';
import type { Interpreter } from './interpreter.js';
import { flagsOf, type ScriptFlags } from '../../shared/commands/shebang.js';

export interface Script {
  readonly flags: ScriptFlags;
  /** What the interpreter of that number keeps it as. */
  readonly reference: number;
  readonly interpreter: number;
  readonly text: Buffer;
}

const SCRIPT_NAME = '@user_script';
/** Its value: the SHA-1 of each script that is a record, 20 bytes each. */
const INDEX = 'scripts';
const recordOf = (sha: string): string => `script/${sha}`;
const SHA_BYTES = 20;

export class KnownScripts {
  /** Those used longest ago come first. */
  private readonly scripts = new Map<string, Script>();
  private bytes = 0;

  /** Null: it is not known. */
  find(view: View, lua: Interpreter, sha: string): Script | null {
    const known = this.scripts.get(sha);
    if (known?.interpreter === lua.number) {
      this.scripts.delete(sha);
      this.scripts.set(sha, known);
      return known;
    }
    const text = known?.text ?? (isSha(sha) ? view.record(recordOf(sha)) : null);
    return text === null ? null : this.add(lua, text, sha);
  }

  /** Compiles it. Throws ClientError. */
  add(lua: Interpreter, text: Buffer, sha: string): Script {
    const { machine } = lua;
    const { main } = machine;
    const flags = flagsOf(text);
    if (!machine.load(main, text.subarray(flags.bytes), SCRIPT_NAME)) {
      const problem = machine.bytes(main, -1)?.toString() ?? '';
      machine.pop(main);
      throw new ClientError(`ERR Error compiling script (new function): ${problem}`);
    }
    this.forget(sha, lua);
    const script = { flags, text, interpreter: lua.number, reference: machine.keep(main) };
    this.scripts.set(sha, script);
    this.bytes += text.length;
    for (const oldest of this.scripts.keys()) {
      if (this.scripts.size <= limits.knownScripts && this.bytes <= limits.knownScriptBytes) break;
      if (oldest !== sha) this.forget(oldest, lua);
    }
    return script;
  }

  private forget(sha: string, lua: Interpreter): void {
    const known = this.scripts.get(sha);
    if (known === undefined) return;
    this.scripts.delete(sha);
    this.bytes -= known.text.length;
    if (known.interpreter === lua.number) lua.machine.release(known.reference);
  }

  /** From now on it is known for good. */
  load(view: View, lua: Interpreter, text: Buffer, sha: string): void {
    if (this.find(view, lua, sha) === null) this.add(lua, text, sha);
    const index = view.record(INDEX) ?? Buffer.alloc(0);
    const binary = Buffer.from(sha, 'hex');
    if (shas(index).some((known) => known.equals(binary))) return;
    if (index.length / SHA_BYTES >= limits.knownScripts)
      throw new ClientError(`ERR more than ${limits.knownScripts} scripts are loaded; SCRIPT FLUSH removes them`);
    view.putRecord(recordOf(sha), text);
    view.putRecord(INDEX, Buffer.concat([index, binary]));
  }

  /** How many there are, and the bytes of the text of those that are in memory. */
  known(view: View): readonly [count: number, bytes: number] {
    const loaded = shas(view.record(INDEX) ?? Buffer.alloc(0)).filter((sha) => !this.scripts.has(sha.toString('hex')));
    return [this.scripts.size + loaded.length, this.bytes];
  }

  has(view: View, sha: string): boolean {
    return this.scripts.has(sha) || (isSha(sha) && view.record(recordOf(sha)) !== null);
  }

  flush(view: View, lua: Interpreter): void {
    for (const sha of this.scripts.keys()) this.forget(sha, lua);
    const index = view.record(INDEX);
    if (index === null) return;
    for (const sha of shas(index)) view.putRecord(recordOf(sha.toString('hex')), null);
    view.putRecord(INDEX, null);
  }
}

const isSha = (sha: string): boolean => /^[\da-f]{40}$/.test(sha);

function shas(index: Buffer): Buffer[] {
  return Array.from({ length: index.length / SHA_BYTES }, (_, i) => index.subarray(i * SHA_BYTES, (i + 1) * SHA_BYTES));
}
