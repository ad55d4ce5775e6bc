/** What these packages lack declarations of, as far as the programs here use them. */
declare module 'express-session' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export class Store {}

  interface SessionData {
    visits?: number;
    destroy(done: (error?: Error) => void): void;
  }

  export type SessionRequest = IncomingMessage & { session: SessionData };

  interface Options {
    readonly store: Store;
    readonly secret: string;
    readonly resave: boolean;
    readonly saveUninitialized: boolean;
    readonly cookie?: { readonly maxAge: number };
  }

  export default function session(
    options: Options,
  ): (request: IncomingMessage, response: ServerResponse, next: (error?: Error) => void) => void;
}

declare module 'redlock' {
  import type { Redis } from 'ioredis';

  export class Lock {
    readonly value: string;
    extend(ttlMs: number): Promise<Lock>;
    unlock(): Promise<void>;
  }

  export default class Redlock {
    constructor(
      clients: readonly Redis[],
      options?: { retryCount?: number; retryDelay?: number; retryJitter?: number },
    );
    lock(resource: string, ttlMs: number): Promise<Lock>;
    static LockError: new () => Error;
  }
}
