/** Every limit that bounds a queue, a buffer, a loop or a payload, with its reason. */
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  // wire
  /** One frame: above the largest mutation, so that a 512 MB value could pass in principle; memory is bounded by inFlightBytes. */
  frameBytes: 640 * MiB,
  /** What a handshake may be, from somebody not yet known. */
  handshakeBytes: 16 * KiB,
  /** A proxy stops reading from clients above this much unanswered to one server. */
  inFlightBytesPerServer: 16 * MiB,
  inFlightRequestsPerServer: 16_384,
  /** Requests that wait at a router for a partition's primary: above these it stops reading from the clients concerned. */
  waitingRequestsPerPartition: 65_536,
  waitingBytesPerPartition: 64 * MiB,
  /** A link with more than this queued is congested: bulk senders wait. */
  linkQueueBytes: 8 * MiB,
  // replication
  /** Prepared and not yet committed, per partition: beyond it execution waits. */
  preparedBytes: 16 * MiB,
  preparedMutations: 4_096,
  /** One mutation is sealed when its writes reach this. */
  mutationBytes: 1 * MiB,
  mutationOperations: 8_192,
  /** Committed and not yet applied, per partition: beyond it execution waits and secondaries hold their acknowledgements. */
  unappliedBytes: 16 * MiB,
  /** Applied mutations kept in memory per partition, so that a server that was away briefly copies only these. */
  retainedBytes: 32 * MiB,
  retainedMutations: 65_536,
  /** Apply batch: written when it has this much, or is this old. */
  applyBytes: 256 * KiB,
  applyDelayMs: 100,
  // learning
  learnChunkBytes: 256 * KiB,
  learnChunkEntries: 2_048,
  /** Chunks under way, unacknowledged. */
  learnWindowChunks: 4,
  learnersPerServer: 2,
  // execution
  /** Operations waiting at one partition for room or for a fetch. */
  waitingOperations: 65_536,
  fetchAttempts: 1_000,
  fetchRangeEntries: 1_024,
  fetchRangeBytes: 1 * MiB,
  // data
  /** Redis's `databases`. */
  databases: 16,
  /** A string, as Redis's proto-max-bulk-len. */
  stringBytes: 512 * MiB,
  /** Cells of LCS's table: all are computed in one synchronous stretch, which must stay far below a lease (16 Mi take about 60 ms). */
  lcsCells: 16 * MiB,
  /** A collection is packed in its row's header up to this; larger ones live element by element. */
  packedElements: 64,
  packedBytes: 1 * KiB,
  /** Keys or fields that one scanning operation visits, and the bytes after which it stops: one synchronous stretch. */
  scanVisited: 1_024,
  scanBytes: 1 * MiB,
  /** Keys that one SCAN command visits at most, whatever COUNT says: its reply is held in memory. */
  scanCount: 65_536,
  // log
  segmentBytes: 32 * MiB,
  /** A replica that pins an older segment than this many back is flushed. */
  segmentsPinned: 8,
} as const;
