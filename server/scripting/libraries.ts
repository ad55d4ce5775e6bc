/**
 * Libraries of functions: their code is a record of the partition, replicated and persistent, and every primary loads it
 * into its Lua when it first needs it. What a library keeps in local variables is that Lua's, as in Redis.
 */
import { ClientError } from '../../shared/errors.js';
import { limits } from '../../shared/limits.js';
import type { View } from '../execution/view.js';
import type { Interpreter } from './interpreter.js';
import { Outcome } from './machine.js';
import { isName, NAME_RULE, type RegisteredFunction } from './register-function.js';
import { errorText } from './script-run.js';
import { words } from '../../shared/commands/shebang.js';

export interface Library {
  readonly name: string;
  /** As it was loaded, with its first line. */
  readonly code: Buffer;
  /** By name in lower case. */
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
}

const RECORD = 'functions';
const CODE_NAME = '@user_function';
const LINE_FEED = 10;
const LENGTH_BYTES = 4;
const HOOK_COUNT = 10_000;

/** `#!lua name=...`; what is behind it begins with the end of its line. */
function metadataOf(code: Buffer): { readonly name: string; readonly bytes: number } {
  if (code[0] !== 0x23 || code[1] !== 0x21) throw new ClientError('ERR Missing library metadata');
  const bytes = code.indexOf(LINE_FEED);
  if (bytes < 0) throw new ClientError('ERR Invalid library metadata');
  const [engine = '', ...parts] = words(code.subarray(0, bytes).latin1Slice());
  let name: string | null = null;
  for (const part of parts) {
    if (!part.toLowerCase().startsWith('name=')) throw new ClientError(`ERR Invalid metadata value given: ${part}`);
    if (name !== null) throw new ClientError('ERR Invalid metadata value, name argument was given multiple times');
    name = part.slice(5);
  }
  if (name === null) throw new ClientError('ERR Library name was not given');
  if (!isName(name)) throw new ClientError(`ERR ${NAME_RULE}`);
  if (engine.toLowerCase() !== '#!lua') throw new ClientError(`ERR Engine '${engine.slice(2)}' not found`);
  return { name, bytes };
}

function pack(libraries: Iterable<Library>): Buffer {
  const pieces: Buffer[] = [];
  for (const { code } of libraries) {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(code.length);
    pieces.push(length, code);
  }
  return Buffer.concat(pieces);
}

function unpack(record: Buffer): Buffer[] {
  const codes: Buffer[] = [];
  for (let at = 0; at < record.length; ) {
    const end = at + LENGTH_BYTES + record.readUInt32BE(at);
    codes.push(record.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return codes;
}

export type RestorePolicy = 'append' | 'replace' | 'flush';

export class Libraries {
  private readonly nowMs: () => number;
  private lua: Interpreter | null = null;
  private loaded = new Map<string, Library>();
  /** What `loaded` was made of. */
  private record: Buffer | null = null;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  all(view: View, lua: () => Interpreter): readonly Library[] {
    return [...this.current(view, lua).values()];
  }

  find(view: View, lua: () => Interpreter, name: string): RegisteredFunction | null {
    for (const { functions } of this.current(view, lua).values()) {
      const found = functions.get(name.toLowerCase());
      if (found !== undefined) return found;
    }
    return null;
  }

  /** As the partition has them. */
  private current(view: View, lua: () => Interpreter): ReadonlyMap<string, Library> {
    const record = view.record(RECORD);
    const isSame = record === null ? this.record === null : this.record?.equals(record) === true;
    if (isSame && (this.loaded.size === 0 || this.lua === lua())) return this.loaded;
    const loaded = new Map<string, Library>();
    if (record !== null)
      for (const code of unpack(record)) {
        const library = this.run(lua(), Buffer.from(code));
        loaded.set(library.name, library);
      }
    this.loaded = loaded;
    this.record = record;
    this.lua = loaded.size === 0 ? null : lua();
    return loaded;
  }

  /** The Lua that they were in is gone. */
  giveUp(): void {
    this.loaded = new Map();
    this.record = null;
    this.lua = null;
  }

  /** Functions of libraries that are there no more. */
  private release(gone: Iterable<Library>): void {
    for (const { functions } of gone)
      for (const { reference } of functions.values()) this.lua?.machine.release(reference);
  }

  private keep(view: View, lua: Interpreter, libraries: Map<string, Library>): void {
    const record = pack(libraries.values());
    if (record.length > limits.functionBytes) throw new ClientError('ERR the libraries are too large');
    view.putRecord(RECORD, record.length === 0 ? null : record);
    const kept = new Set(libraries.values());
    this.release([...this.loaded.values()].filter((library) => !kept.has(library)));
    this.loaded = libraries;
    this.record = record.length === 0 ? null : record;
    this.lua = lua;
  }

  /** Returns the library's name. */
  load(view: View, lua: () => Interpreter, code: Buffer, replace: boolean): string {
    const libraries = new Map(this.current(view, lua));
    const { name } = metadataOf(code);
    if (libraries.has(name) && !replace) throw new ClientError(`ERR Library '${name}' already exists`);
    const library = this.run(lua(), code);
    libraries.delete(name);
    checkNames(libraries, library);
    libraries.set(name, library);
    this.keep(view, lua(), libraries);
    return name;
  }

  remove(view: View, lua: () => Interpreter, name: string): void {
    const libraries = new Map(this.current(view, lua));
    if (!libraries.delete(name)) throw new ClientError('ERR Library not found');
    this.keep(view, lua(), libraries);
  }

  flush(view: View): void {
    this.release(this.loaded.values());
    view.putRecord(RECORD, null);
    this.loaded = new Map();
    this.record = null;
    this.lua = null;
  }

  restore(view: View, lua: () => Interpreter, codes: readonly Buffer[], policy: RestorePolicy): void {
    const restored = new Map<string, Library>();
    for (const code of codes) {
      const { name } = metadataOf(code);
      if (restored.has(name)) throw new ClientError(`ERR Library '${name}' already exists`);
      const library = this.run(lua(), code);
      checkNames(restored, library);
      restored.set(name, library);
    }
    const libraries = policy === 'flush' ? new Map<string, Library>() : new Map(this.current(view, lua));
    for (const [name, library] of restored) {
      if (policy !== 'replace' && libraries.has(name)) throw new ClientError(`ERR Library ${name} already exists`);
      libraries.delete(name);
      checkNames(libraries, library);
      libraries.set(name, library);
    }
    this.keep(view, lua(), libraries);
  }

  /** Runs a library's code, which registers its functions. */
  private run(lua: Interpreter, code: Buffer): Library {
    const { machine, sandbox } = lua;
    const { name, bytes } = metadataOf(code);
    const { thread, reference } = machine.newThread();
    try {
      sandbox.reset('loading', 0);
      if (!machine.load(thread, code.subarray(bytes), CODE_NAME))
        throw new ClientError(`ERR Error compiling function: ${machine.bytes(thread, -1)?.toString() ?? ''}`);
      const functions = new Map<string, RegisteredFunction>();
      const endsAtMs = this.nowMs() + limits.functionLoadMs;
      const look = (): void => {
        if (this.nowMs() > endsAtMs) throw new ClientError('ERR Error registering functions: FUNCTION LOAD timeout');
      };
      machine.onHook = look;
      machine.onLong = look;
      machine.watch(thread, HOOK_COUNT);
      lua.registering = { functions };
      if (machine.resume(thread, 0) !== Outcome.ok)
        throw new ClientError(`ERR Error registering functions: ${errorText(machine, thread)}`);
      if (functions.size === 0) throw new ClientError('ERR No functions registered');
      return { name, code, functions };
    } finally {
      lua.registering = null;
      machine.release(reference);
    }
  }
}

function checkNames(libraries: ReadonlyMap<string, Library>, added: Library): void {
  for (const { functions } of libraries.values())
    for (const [key, { name }] of added.functions)
      if (functions.has(key)) throw new ClientError(`ERR Function ${name} already exists`);
}
