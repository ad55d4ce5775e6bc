/** Secrets among the arguments of commands: neither SLOWLOG nor MONITOR shows them. */
import { word } from '../shared/commands/arguments.js';

const REDACTED = Buffer.from('(redacted)');
const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  'masterauth',
  'masteruser',
  'requirepass',
  'tls-client-key-file-pass',
  'tls-key-file-pass',
]);

/** `name`: the full name of the command, `args` are without it. They come back as they are where there is nothing to hide. */
export function redacted(name: string, args: readonly Buffer[]): readonly Buffer[] {
  switch (name) {
    case 'auth':
    case 'acl|setuser':
      return args.map(() => REDACTED);
    case 'config|set':
      return args.map((argument, i) => (i % 2 === 1 && isSecretParameter(args[i - 1]) ? REDACTED : argument));
    case 'hello':
      return args.map((argument, i) =>
        follows(args, i, 1, 'AUTH') || follows(args, i, 2, 'AUTH') ? REDACTED : argument,
      );
    case 'migrate':
      return args.map((argument, i) => (isPasswordOfMigrate(args, i) ? REDACTED : argument));
    default:
      return args;
  }
}

/** `option` stands `distance` arguments before it. */
const follows = (args: readonly Buffer[], at: number, distance: number, option: string): boolean =>
  word(args[at - distance]) === option;

function isSecretParameter(name: Buffer | undefined): boolean {
  return SECRET_PARAMETERS.has(name?.toString('latin1').toLowerCase() ?? '');
}

function isPasswordOfMigrate(args: readonly Buffer[], at: number): boolean {
  return follows(args, at, 1, 'AUTH') || follows(args, at, 1, 'AUTH2') || follows(args, at, 2, 'AUTH2');
}
