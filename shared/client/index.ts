/** What programs import to use a Tulpar cluster without Redis. */
export { connect, localCluster, type ConnectOptions } from './connect.js';
export { TulparClient } from './client.js';
export {
  TulparTable,
  type Bytes,
  type CheckAndSetRequest,
  type FieldEntry,
  type FullScanOptions,
  type HashScanOptions,
  type NewField,
  type RowEntry,
  type Ttl,
} from './table.js';
export { Check } from '../operations/fields.js';
export { ClientError, OperatingError } from '../errors.js';
