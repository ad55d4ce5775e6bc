/** Every limit that bounds a queue, a buffer, a loop or a payload, with its reason. */
const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  // wire
  /** One frame: above the largest mutation, so that a 512 MB value could pass in principle; memory is bounded by inFlightBytes. */
  frameBytes: 640 * MiB,
  /** While so much of a frame has come and more does, beacons are behind it: its sender is not taken for silent ... */
  largeFrameBytes: 1 * MiB,
  /** ... unless nothing came for this long. */
  frameStallMs: 500,
  /** What a handshake may be, from somebody not yet known. */
  handshakeBytes: 16 * KiB,
  /** Of arrays and maps within one message. */
  messageDepth: 64,
  /** Messages to one peer gather for a turn, and are sent earlier when they reach this. */
  gatherBytes: 64 * KiB,
  /** A Buffer from this size on goes to the socket itself rather than through a copy in the frame. */
  passThroughBytes: 32 * KiB,
  /** Buffers for frames kept for use again, all links together. */
  pooledFrames: 64,
  /** A peer that does not take what it is sent is cut off above this: memory must stay bounded. */
  linkQueueBytesMax: 1024 * MiB,
  /** Connections that have not said who they are: above this newcomers are closed. */
  strangers: 256,
  /** How long making a connection may take: after lost packets TCP tries again too late, so we do, anew. */
  connectMs: 1_000,
  /** ... and how long it may then take to say who it is. */
  handshakeMs: 5_000,
  /** Between attempts to reach a node: from the first, doubled each time, to the last; less up to a half by chance. */
  redialMsFirst: 50,
  redialMsLast: 1_000,
  /** A link that sends nothing for this long sends an empty frame. */
  keepaliveMs: 500,
  /** A link that brings nothing for this long is taken for dead: well before a proxy's deadline, and TCP may need longer to find its way back. */
  linkSilenceMs: 3_000,
  /** The same refusal of the same peer is logged once in this time. */
  refusalLogMs: 60_000,
  /** A proxy stops reading from clients above this much unanswered to one server. */
  inFlightBytesPerServer: 16 * MiB,
  inFlightRequestsPerServer: 16_384,
  /** Bursts (a turn's requests) to one server that may be unanswered before the next one gathers ... */
  burstsPerServer: 2,
  /** ... but not for longer than this. */
  burstWaitMs: 1,
  /** Requests that wait at a router for a partition's primary: above these it stops reading from the clients concerned. */
  waitingRequestsPerPartition: 65_536,
  waitingBytesPerPartition: 64 * MiB,
  /** A link with more than this queued is congested: bulk senders wait. */
  linkQueueBytes: 8 * MiB,
  // clients of a proxy
  /** Replies one client may have outstanding before its next requests wait: as many as fit pendingReplyBytes, within these. */
  pendingReplies: 4_096,
  pendingRepliesMin: 16,
  pendingReplyBytes: 16 * MiB,
  /** What a client may send while it waits (BLPOP) before it is not read from, so that its end is not noticed either. */
  waitingInputBytes: 64 * KiB,
  /** A client that leaves this much unread is not read from. */
  clientOutputPauseBytes: 1 * MiB,
  /** ... and is closed above this, where client-output-buffer-limit does not say less. */
  clientOutputBytes: 1024 * MiB,
  /** A message up to this is encoded once for all of its receivers; of a longer one the bytes themselves are shared. */
  joinedMessageBytes: 2 * KiB,
  /** Before AUTH: what a stranger may make us hold. */
  unauthenticatedBufferBytes: 1 * MiB,
  unauthenticatedOutputBytes: 16 * KiB,
  /** How long a client may take to read what it is owed when its connection ends. */
  closingTimeoutMs: 5_000,
  /** How long what a client still sends is read and dropped after the last reply was handed over. */
  closingGraceMs: 200,
  /** Users of the cluster: every proxy holds all of them, and a full view brings them in one message. */
  users: 10_000,
  /** How long the clients of a proxy that has just started wait for meta to tell which users there are. */
  usersUnknownMs: 10_000,
  /** Scripts that a proxy remembers as writing nothing, for CLIENT PAUSE WRITE: a client can load very many. */
  harmlessScripts: 1_024,
  /** Times that a script without keys is sent on to another partition: one that draws its keys at random could go on for ever. */
  scriptMoves: 3,
  /** Newest entries of ACL LOG that a new one is compared with, as in Redis. */
  aclLogCompared: 10,
  /** Of a key or channel in ACL LOG: an entry must not keep a huge one. */
  aclLogObjectCharacters: 1_024,
  /** How long a client waits for meta to have changed a user. */
  userChangeMs: 10_000,
  /** The rules of one user, as text. */
  userRulesBytes: 64 * KiB,
  // replication
  /** Prepared and not yet committed, per partition: beyond it execution waits. */
  preparedBytes: 16 * MiB,
  preparedMutations: 4_096,
  /** While this many are prepared and not committed, the next one gathers operations. */
  mutationsInFlight: 2,
  /** One mutation is sealed when its writes reach this. */
  mutationBytes: 1 * MiB,
  mutationOperations: 8_192,
  /** Committed and not yet applied, per partition: beyond it execution waits and secondaries hold their acknowledgements. */
  unappliedBytes: 16 * MiB,
  /** Applied mutations kept in memory per partition (at most a quarter of cacheBytes in all), for servers that were away briefly. */
  retainedBytes: 32 * MiB,
  retainedMutations: 65_536,
  /** Apply batch: written when it has this much, or is this old. */
  applyBytes: 256 * KiB,
  applyDelayMs: 100,
  // learning
  /** A page of a snapshot: small, because reading, checking and writing one are stretches in which clients wait. */
  learnPageBytes: 64 * KiB,
  learnPageEntries: 1_024,
  /** Pages under way to one learner, not yet written by it. */
  learnWindowPages: 8,
  /** Partitions whose snapshots a server sends, and that a server copies, at once: the others wait for their turn. More than one, so that a small one need not wait for a huge one. */
  teachingPerServer: 4,
  learningPerServer: 4,
  /** However busy the servers are, a snapshot is copied this fast: what is written meanwhile piles up in the learner's log. */
  learnBytesPerSecondMin: 4 * MiB,
  /** What a learner has logged while it copied, above which the copy goes as fast as configured, whatever clients feel: at the slowest, it might gather more than the log may hold. */
  learnHurryBytes: 2 * 1024 * MiB,
  /** Mutations kept in memory for a learner that lags behind, per partition: beyond it the learner starts over. */
  learnerLagBytes: 64 * MiB,
  /** Mutations that gather in a learner's log while it copies: beyond it the learner gives up, and says so. */
  learnLogBytes: 16 * 1024 * MiB,
  /** What a learner takes from its log at once, and of that what it applies at once. */
  catchUpReadBytes: 8 * MiB,
  catchUpApplyBytes: 512 * KiB,
  // execution
  /** Operations waiting at one partition for room or for a fetch. */
  waitingOperations: 65_536,
  /** Sessions (boots of proxies and of native clients) that one partition remembers at once: newcomers wait. */
  sessions: 1_024,
  /** A session ends when its process has not been connected for this long: far above a proxy's deadline. */
  sessionExpiryMs: 60_000,
  /** Connections with an answer that their client may not have, per partition: above it execution waits for acknowledgements. */
  sessionConnections: 131_072,
  /** Results kept for requests that may be repeated, per partition: above these too. */
  keptResults: 262_144,
  keptResultsBytes: 64 * MiB,
  /** A larger result is not kept, only that there was one. */
  keptResultBytes: 16 * KiB,
  /** Connections that one message says are answered: what is more goes with the next. */
  settledConnections: 4_096,
  fetchAttempts: 1_000,
  /** Entries fetched one after the other for one operation; what it needs beyond them is read on the event loop's thread. */
  fetchedEntries: 64,
  /** What is read of a range, or of entries, at once: handing them over is a synchronous stretch (1,024 take about 1 ms). */
  fetchRangeEntries: 1_024,
  fetchRangeBytes: 1 * MiB,
  /** What one operation may have read for it: it is held in memory, and is one synchronous stretch in the end (so many take about half a second). */
  operationEntries: 524_288,
  operationBytes: 256 * MiB,
  /** Operations that have more than this read for them take turns: the memory above is needed once in a partition. */
  largeRead: 16_384,
  /** From so many on, entries that are looked up are fetched off the event loop's thread, as one stretch of single reads would take long (128: about half a millisecond; fetched, each costs this thread nearly as much). */
  lookUpsHere: 128,
  /** Entries up to which those of a store with many tables are read through iterators, one after the other: each takes a few tenths of a millisecond. */
  iteratedReads: 16,
  /** Operations that wait at one partition for something to pop or read: a few hundred bytes each. */
  waits: 100_000,
  /** Channels and patterns with listeners that one partition's primary keeps: a few hundred bytes each. */
  interests: 1_000_000,
  /** Keys that one proxy may have cached for its clients, of one partition: some hundred bytes each; beyond it the oldest are invalidated. */
  trackedKeys: 1_000_000,
  /** Of interests, how many a proxy names in one message. */
  interestsPerMessage: 1_024,
  // data
  /** Redis's `databases`. */
  databases: 16,
  /** A string, as Redis's proto-max-bulk-len. */
  stringBytes: 512 * MiB,
  /** Cells of LCS's table: all are computed in one synchronous stretch, which must stay far below a lease (16 Mi take about 60 ms). */
  lcsCells: 16 * MiB,
  /** Bytes that BITOP reads of all its strings: one synchronous stretch (512 MiB take about half a second). */
  bitBytes: 512 * MiB,
  /** Of the elements of one PFADD, which a proxy hashes in one synchronous stretch (64 MiB take about a third of a second). */
  hashedBytes: 64 * MiB,
  /** HyperLogLogs that one operation merges: one synchronous stretch (so many take about half a second). */
  mergedSketches: 16_384,
  /** hll-sparse-max-bytes acts up to this: a dense HyperLogLog is shorter than a longer sparse one. */
  sketchSparseBytes: 16 * KiB,
  /** What DUMP writes and RESTORE reads: packing, checksum and storing are synchronous stretches (128 MiB: about half a second each). */
  dumpBytes: 128 * MiB,
  /** Members, fields or values in a dump: as many as one command may have arguments. A few bytes may stand for very many. */
  dumpParts: 1_048_576,
  /** Of a dump so much is compressed: a synchronous stretch at some 100 MiB/s. */
  compressedBytes: 16 * MiB,
  /** Members that a search by position reads at a time: with ANY it ends early. */
  geoPage: 1_024,
  /** Keys that the patterns of one SORT name at most: one synchronous stretch (so many take about half a second). */
  sortLookUps: 131_072,
  /** A collection is packed in its row's header up to this; larger ones live element by element. */
  packedElements: 64,
  packedBytes: 1 * KiB,
  /** Keys or fields that one scanning operation visits, and the bytes after which it stops: one synchronous stretch. */
  scanVisited: 1_024,
  scanBytes: 1 * MiB,
  /** What a walk over a row's elements reads at once in the end; it begins with few, and the operation begins anew for each page. */
  walkPage: 131_072,
  /** Pages of a walk in the background that are read with one iterator: it keeps all files of its moment on the disk for as long as it is open. */
  walkPages: 64,
  /** So many elements of a row are looked up one by one rather than read by an iterator: three to four times faster when in memory. */
  elementLookUps: 256,
  /** Entries that one node of counts stands for; a sorted set of more has a tree of counts. */
  countedElements: 512,
  /** Such buckets that one operation notes to be cut by the next one. */
  overfullBuckets: 8,
  /** Expired fields of a large row that one change of the row removes on its way: one synchronous stretch. */
  expiredFields: 64,
  /** Elements that a trimmed stream, or a destroyed group, has left and that one change of the stream removes on its way: one synchronous stretch. */
  streamSwept: 256,
  /** Entries of one stream that one command hands to a consumer: each is several writes, and all are one synchronous stretch (20,000 took 300 ms). */
  streamDelivered: 10_000,
  /** XINFO counts the nodes of Redis's radix tree exactly up to so many listpacks: their ids are read for it. */
  streamTreeNodes: 256,
  /** Members that SRANDMEMBER with a negative count repeats at most: its reply is held in memory. */
  randomMembers: 1_048_576,
  /** Keys that one SCAN command visits at most, whatever COUNT says: its reply is held in memory. */
  scanCount: 65_536,
  /** A partition's share of maxmemory below this is no room for anything: test suites use 1 byte to have writes refused. */
  memoryMin: 4 * KiB,
  // scripts
  /** What one partition's Lua may take: a script that needs more gets an error from Lua. */
  scriptMemoryBytes: 256 * MiB,
  /** A Lua that has grown beyond this is given up after the script, as its memory never shrinks. */
  scriptMemoryKeptBytes: 64 * MiB,
  /** A script gives the others their turn after so much; below what clients notice. */
  scriptSliceMs: 10,
  /** Where it cannot (within a sort's comparison, a metamethod), it is ended after so much and leaves nothing: this must stay below a lease. */
  scriptMs: 1_000,
  /** Steps that matching a pattern may take at worst where Lua's own functions do it, which cannot be ended: some 50 ms. */
  scriptPatternSteps: 5_000_000,
  /** No script runs for longer: it is ended and leaves nothing, whatever it has written. */
  scriptTotalMs: 300_000,
  /** What loading one library of functions may take, as in Redis: one synchronous stretch. */
  functionLoadMs: 500,
  /** Code of all libraries of functions together: one record, written anew with every change. */
  functionBytes: 8 * MiB,
  /** Words of commands that a script reports for MONITOR: they are part of its result, which is logged. What it calls beyond is not shown. */
  scriptReportBytes: 256 * KiB,
  /** Users whose rules a partition's scripts keep in a form that can be asked: reading them takes long, and a client's scripts come again. */
  scriptUsers: 64,
  /** Scripts that EVAL has made known, those used longest ago are forgotten first; SCRIPT LOAD's are kept in records. */
  knownScripts: 4_096,
  knownScriptBytes: 64 * MiB,
  /** Tables within tables that a script may return: they are walked by recursion, here and in the proxy. Redis's Lua allows some 8,000. */
  scriptReplyDepth: 1_000,
  // maxmemory
  /** What a table without rows counts as in INFO, beside which maxmemory limits its rows: about what an empty Redis uses. */
  emptyTableBytes: MiB,
  /** Writes that grow are refused, although rows can be evicted, when eviction is this far behind (and by as much as is allowed). */
  evictionLag: 64 * MiB,
  /** Rows evicted together: their deletions are one stretch. */
  evictedAtOnce: 200,
  // log
  /** Batches up to this are written on the event loop's thread. */
  logWriteNowBytes: 64 * KiB,
  segmentBytes: 32 * MiB,
  /** A replica that pins an older segment than this many back is flushed. */
  segmentsPinned: 8,
  // disk space
  /** Between looks at how full the disk is: what can be written meanwhile must stay far below the watermarks. */
  diskLookMs: 250,
  /** Between looks of a server that cannot start for want of space. */
  diskWaitMs: 1_000,
} as const;
