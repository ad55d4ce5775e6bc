import type { NodeInfo } from '../cluster.js';

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
  /** After every view of the cluster. */
  readonly onView?: () => void;
}
