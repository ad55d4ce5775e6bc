/** Operations that make, change and end consumer groups and their consumers. */
import { ClientError } from '../../shared/errors.js';
import type { Execute, View } from '../execution/view.js';
import { type Arguments, booleanAt, bytesAt, bytesOrNullAt, integerAt, stringOrNullAt } from './arguments.js';
import { Stream } from './stream.js';
import type { StreamGroup } from './stream-group.js';
import { shown } from './stream-reading.js';

const NO_KEY =
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.';

function existing(view: View, key: Buffer): Stream {
  const stream = Stream.find(view, key);
  if (stream === null) throw new ClientError(NO_KEY);
  return stream;
}

export function noGroupForKey(key: Buffer, group: Buffer): ClientError {
  return new ClientError(`NOGROUP No such consumer group '${shown(group)}' for key name '${shown(key)}'`);
}

function existingGroup(view: View, args: Arguments): { stream: Stream; group: StreamGroup } {
  const key = bytesAt(args, 0);
  const name = bytesAt(args, 1);
  const stream = existing(view, key);
  const group = stream.group(name);
  if (group === null) throw noGroupForKey(key, name);
  return { stream, group };
}

export const groupCreate: Execute = (view, args) => {
  const key = bytesAt(args, 0);
  const name = bytesAt(args, 1);
  const stream = booleanAt(args, 4) ? Stream.findOrCreate(view, key) : existing(view, key);
  const refusal = stringOrNullAt(args, 5);
  if (refusal !== null) throw new ClientError(refusal);
  if (stream.group(name) !== null) throw new ClientError('BUSYGROUP Consumer Group name already exists');
  stream.createGroup(name, bytesOrNullAt(args, 2) ?? stream.facts.lastId, BigInt(integerAt(args, 3)));
  stream.finish();
  view.notify('xgroup-create', bytesAt(args, 0));
  return true;
};

export const groupSetId: Execute = (view, args) => {
  const { stream, group } = existingGroup(view, args);
  const refusal = stringOrNullAt(args, 4);
  if (refusal !== null) throw new ClientError(refusal);
  group.moveTo(bytesOrNullAt(args, 2) ?? stream.facts.lastId, BigInt(integerAt(args, 3)));
  stream.finish();
  view.notify('xgroup-setid', bytesAt(args, 0));
  return true;
};

export const groupDestroy: Execute = (view, args) => {
  const stream = existing(view, bytesAt(args, 0));
  const group = stream.group(bytesAt(args, 1));
  if (group === null) return false;
  stream.removeGroup(group);
  stream.finish();
  view.notify('xgroup-destroy', bytesAt(args, 0));
  return true;
};

export const consumerCreate: Execute = (view, args) => {
  const { stream, group } = existingGroup(view, args);
  const name = bytesAt(args, 2);
  if (group.consumer(name) !== null) return false;
  group.createConsumer(name, view.nowMs);
  stream.finish();
  view.notify('xgroup-createconsumer', bytesAt(args, 0));
  return true;
};

export const consumerRemove: Execute = (view, args) => {
  const { stream, group } = existingGroup(view, args);
  const consumer = group.consumer(bytesAt(args, 2));
  if (consumer === null) return 0;
  const { pending } = consumer;
  group.removeConsumer(consumer);
  stream.finish();
  view.notify('xgroup-delconsumer', bytesAt(args, 0));
  return pending;
};
