/** Names that clients give themselves stand in CLIENT LIST's lines: no spaces, nothing that is not printable. */
import { ClientError } from '../../shared/errors.js';

export function isPlainText(text: Buffer): boolean {
  return text.every((byte) => byte > 32 && byte < 127);
}

export function checkClientName(name: Buffer): string {
  if (!isPlainText(name))
    throw new ClientError('ERR Client names cannot contain spaces, newlines or special characters.');
  return name.toString('latin1');
}
