/** The types of clients that CLIENT LIST and CLIENT KILL tell apart. Masters and replicas never connect to a proxy. */
import { ClientError } from '../../shared/errors.js';
import type { Session } from '../session.js';

const types: Readonly<Record<string, (session: Session) => boolean>> = {
  normal: (session) => session.subscriber === null,
  pubsub: (session) => session.subscriber !== null,
  master: () => false,
  replica: () => false,
  slave: () => false,
};

/** Throws ClientError where there is no such type. */
export function ofType(type: string): (session: Session) => boolean {
  const name = type.toLowerCase();
  const matches = Object.hasOwn(types, name) ? types[name] : undefined;
  if (matches === undefined) throw new ClientError(`ERR Unknown client type '${type.slice(0, 128)}'`);
  return matches;
}
