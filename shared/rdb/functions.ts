/** What FUNCTION DUMP gives and FUNCTION RESTORE takes: the code of each library, as an RDB file of version 10 has it. */
import { ClientError } from '../errors.js';
import { withFooter, withoutFooter } from './dump.js';
import { DamagedDump, DumpReader, DumpWriter } from './strings.js';

const FUNCTION = 245;

export function dumpFunctions(codes: readonly Buffer[]): Buffer {
  const writer = new DumpWriter();
  for (const code of codes) {
    writer.raw(Buffer.of(FUNCTION));
    writer.string(code);
  }
  return withFooter(writer);
}

/** Throws Redis's errors. */
export function readFunctions(payload: Buffer): Buffer[] {
  const reader = new DumpReader(withoutFooter(payload));
  const codes: Buffer[] = [];
  try {
    while (reader.more) {
      if (reader.byte() !== FUNCTION) throw new ClientError('ERR given type is not a function');
      codes.push(Buffer.from(reader.string()));
    }
  } catch (error) {
    if (error instanceof DamagedDump) throw new ClientError('ERR failed loading the given functions payload');
    throw error;
  }
  return codes;
}
