/** The few things of WebAssembly that are used here: TypeScript has them only among those of a browser. */
declare namespace WebAssembly {
  type ImportValue = (...args: never[]) => unknown;

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, ImportValue>>>>);
  }

  class RuntimeError extends Error {}

  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }

  interface Table {
    grow(by: number): number;
    get(index: number): unknown;
    set(index: number, value: unknown): void;
  }
}
