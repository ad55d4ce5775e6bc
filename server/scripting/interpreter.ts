/** A Lua and what hangs on it: given up when something went wrong in it, or when it has become too large. */
import { limits } from '../../shared/limits.js';
import { bitLibrary } from './bit-library.js';
import type { Calls } from './calls.js';
import { pushCjson } from './cjson.js';
import { messagePackLibrary } from './cmsgpack.js';
import { Machine } from './machine.js';
import { evaluatingLibrary, logLibrary, redisLibrary, type Surroundings } from './redis-library.js';
import { registerLibrary, type Registering } from './register-function.js';
import { Sandbox } from './sandbox.js';
import { structLibrary } from './struct-library.js';

export class Interpreter implements Surroundings {
  readonly machine = new Machine(limits.scriptMemoryBytes);
  readonly sandbox: Sandbox;
  /** Another one for each: what is kept in one is nothing in the next. */
  readonly number: number;
  /** Those of the script that runs. */
  calls: Calls | null = null;
  /** The library of functions that is being loaded. */
  registering: Registering | null = null;

  constructor(number: number) {
    const { machine } = this;
    this.number = number;
    this.sandbox = new Sandbox(machine, {
      redis: redisLibrary(this),
      evaluating: evaluatingLibrary(this),
      loading: { ...registerLibrary(this), ...logLibrary(this) },
      tables: {
        cjson: (thread) => pushCjson(machine, thread),
        cmsgpack: (thread) => machine.pushLibrary(thread, messagePackLibrary(machine)),
        struct: (thread) => machine.pushLibrary(thread, structLibrary(machine)),
        bit: (thread) => machine.pushLibrary(thread, bitLibrary(machine)),
      },
    });
  }

  log(): void {
    // what scripts log is nobody's business but theirs
  }
}
