import type { NodeInfo } from '../cluster.js';
import type { Message } from '../wire/messages.js';
import type { RoutedPartition } from './routing-table.js';

export interface RouterOptions {
  readonly metaHost: string;
  readonly metaPort: number;
  /** What meta is told about this process. */
  readonly describe: () => NodeInfo;
  /** True for operations that change nothing (by code): their outcome is never unknown. */
  readonly isReadOnly: (code: number) => boolean;
  /** From submission to the last moment of an answer. */
  readonly deadlineMs?: number;
  readonly heartbeatMs?: number;
  /** First pause after a refusal that no new configuration follows; doubles up to 16 times this. */
  readonly retryPauseMs?: number;
  readonly onRefused?: (reason: string) => void;
  /** True for operations (by code) that are not sent again once they may have been executed. Absent: none. */
  readonly isOnce?: (code: number) => boolean;
  /** Of a partition that is listened to: its primary, or the connection to it, is another one than before. */
  readonly onIntroduced?: (partition: RoutedPartition) => void;
  /** What the primary of such a partition has to say. */
  readonly onTold?: (message: Message) => void;
  /** After every view of the cluster. */
  readonly onView?: () => void;
}
