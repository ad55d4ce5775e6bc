/** DEBUG PROTOCOL: a reply of each kind. */
import { ClientError } from '../errors.js';
import {
  AttributedReply,
  BigNumberReply,
  DoubleReply,
  MapReply,
  PushReply,
  type Reply,
  SetReply,
  VerbatimReply,
} from './reply.js';

const PROTOCOL_SAMPLES: Readonly<Record<string, Reply>> = {
  string: 'Hello World',
  integer: 12345,
  double: new DoubleReply(3.141),
  bignum: new BigNumberReply('1234567999999999999999999999999999999'),
  null: null,
  array: [0, 1, 2],
  set: new SetReply([0, 1, 2]),
  map: new MapReply([0, false, 1, true, 2, false]),
  attrib: new AttributedReply(['key-popularity', ['key:123', 90]], 'Some real reply following the attribute'),
  push: new PushReply(['server-cpu-usage', 42]),
  verbatim: new VerbatimReply('txt', 'This is a verbatim\nstring'),
  true: true,
  false: false,
};

/** Throws ClientError where there is no such kind. */
export function protocolSample(kind: Buffer, resp: 2 | 3): Reply {
  const name = kind.latin1Slice().toLowerCase();
  const sample = Object.hasOwn(PROTOCOL_SAMPLES, name) ? PROTOCOL_SAMPLES[name] : undefined;
  if (sample === undefined) {
    throw new ClientError(
      'ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false',
    );
  }
  if (name === 'push' && resp === 2) throw new ClientError('ERR RESP2 is not supported by this command');
  return sample;
}
