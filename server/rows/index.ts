/**
 * Which function executes which operation, and what the executor must know about it. A code without an
 * executor stops the server at start.
 */
import { invariant } from '../../shared/errors.js';
import { Code, isReadOnly } from '../../shared/operations/codes.js';
import { type Awaiting, takesFrom } from '../execution/awaiting.js';
import type { Execute } from '../execution/view.js';
import { bitField, bitFieldRead } from './bit-fields.js';
import { bitCombine, bitCount, bitPosition, getBit, setBit } from './bits.js';
import { RowType } from '../storage/row.js';
import { increment, incrementFloat } from './counters.js';
import {
  activeExpiry,
  counts,
  flush,
  flushAll,
  memory,
  randomKey,
  scan,
  setMemoryLimits,
  swapDatabases,
  walk,
} from './databases.js';
import { dump, restore } from './dumps.js';
import { digest, digestValues, facts } from './facts.js';
import {
  fieldCheckAndSet,
  fieldCount,
  fieldGet,
  fieldIncrement,
  fieldMultiGet,
  fieldRemove,
  fieldScan,
  fieldSet,
  fieldTimeToLive,
  fullScan,
} from './fields.js';
import { geoSearch, geoSearchStore } from './geo.js';
import {
  hashAll,
  hashExpire,
  hashExpireTimes,
  hashGetAndExpire,
  hashGetAndRemove,
  hashIncrementFloat,
  hashLength,
  hashPersist,
  hashRandom,
  hashScan,
  hashSet,
  hashSetIf,
  hashTimesToLive,
} from './hashes.js';
import { sketchAdd, sketchCount, sketchInspect, sketchMerge, sketchUnionCount } from './hyperloglogs.js';
import { copy, exists, expire, expireTime, move, persist, remove, rename, timeToLive, touch, type } from './keys.js';
import { longestCommon } from './lcs.js';
import {
  listFind,
  listGet,
  listInsert,
  listLength,
  listMove,
  listPop,
  listPopFirst,
  listPush,
  listRange,
  listRemove,
  listSet,
  listTrim,
} from './lists.js';
import { listen, listeners, notifications, publish, setNotifications, topics } from './pubsub.js';
import {
  callFunction,
  changeLibraries,
  flushScripts,
  libraries,
  loadScript,
  noScriptRuns,
  readFunction,
  readScript,
  script,
  scriptsExist,
} from './scripts.js';
import { setCombine, setCombineStore, setCommonCount } from './set-algebra.js';
import { setAdd, setHas, setMembers, setMove, setPop, setRandom, setRemove, setScan, setSize } from './sets.js';
import { sort, sortStore } from './sorting.js';
import { resetStatistics, statistics } from './statistics.js';
import { consumerCreate, consumerRemove, groupCreate, groupDestroy, groupSetId } from './stream-groups.js';
import { consumersInfo, groupsInfo, streamFullInfo, streamInfo } from './stream-info.js';
import {
  groupAcknowledge,
  groupAcknowledgeRemove,
  groupAutoClaim,
  groupClaim,
  groupPending,
  groupPendingRange,
} from './stream-pending.js';
import { groupRead, groupReadWait, streamRead, streamReadWait } from './stream-reading.js';
import {
  streamAdd,
  streamLength,
  streamRange,
  streamRemove,
  streamRemoveReferenced,
  streamSetId,
  streamTrim,
} from './streams.js';
import {
  append,
  get,
  getAndDelete,
  getAndExpire,
  getRange,
  length,
  multiGet,
  multiSet,
  multiSetExpiring,
  multiSetIfNone,
  removeIf,
  set,
  setRange,
} from './strings.js';
import { marks, transactionOf } from './transactions.js';
import { zsetCombine, zsetCombineStore, zsetCommonCount } from './zset-algebra.js';
import { zsetCount, zsetRange, zsetRangeStore, zsetRemoveRange } from './zset-ranges.js';
import {
  zsetAdd,
  zsetIncrement,
  zsetPop,
  zsetPopFirst,
  zsetRandom,
  zsetRank,
  zsetRemove,
  zsetScan,
  zsetScores,
  zsetSize,
} from './zsets.js';

export interface Executor {
  readonly execute: Execute;
  /** May write: refused while the partition takes no writes. */
  readonly write: boolean;
  /** When it may wait. */
  readonly awaits?: Awaiting;
  /** May need more room: refused when disk or memory is short. Removal and expiry are not. */
  readonly denyoom: boolean;
}

type Entry = Omit<Executor, 'write'>;

const keeps = (execute: Execute): Entry => ({ execute, denyoom: false });
const grows = (execute: Execute): Entry => ({ execute, denyoom: true });

/** Operations that are made of others: they may not be part of one. */
const composite: ReadonlySet<number> = new Set([Code.transaction, Code.growingTransaction, Code.readTransaction]);

const transaction = transactionOf((code) => (composite.has(code) ? undefined : executors[code]?.execute));

const table: Readonly<Record<Code, Entry>> = {
  [Code.get]: keeps(get),
  [Code.set]: grows(set),
  [Code.getAndExpire]: keeps(getAndExpire),
  [Code.getAndDelete]: keeps(getAndDelete),
  [Code.append]: grows(append),
  [Code.setRange]: grows(setRange),
  [Code.getRange]: keeps(getRange),
  [Code.length]: keeps(length),
  [Code.increment]: grows(increment),
  [Code.incrementFloat]: grows(incrementFloat),
  [Code.longestCommon]: keeps(longestCommon),
  [Code.multiGet]: keeps(multiGet),
  [Code.multiSet]: grows(multiSet),
  [Code.multiSetIfNone]: grows(multiSetIfNone),
  [Code.multiSetExpiring]: grows(multiSetExpiring),
  [Code.removeIf]: keeps(removeIf),
  [Code.writesSynced]: keeps((view) => view.syncsWrites),
  [Code.setBit]: grows(setBit),
  [Code.getBit]: keeps(getBit),
  [Code.bitCount]: keeps(bitCount),
  [Code.bitPosition]: keeps(bitPosition),
  [Code.bitCombine]: grows(bitCombine),
  [Code.bitField]: grows(bitField),
  [Code.bitFieldRead]: keeps(bitFieldRead),
  [Code.sketchAdd]: grows(sketchAdd),
  [Code.sketchCount]: keeps(sketchCount),
  [Code.sketchUnionCount]: keeps(sketchUnionCount),
  [Code.sketchMerge]: grows(sketchMerge),
  [Code.sketchInspect]: grows(sketchInspect),
  [Code.remove]: keeps(remove),
  [Code.exists]: keeps(exists),
  [Code.touch]: keeps(touch),
  [Code.type]: keeps(type),
  [Code.expire]: keeps(expire),
  [Code.timeToLive]: keeps(timeToLive),
  [Code.expireTime]: keeps(expireTime),
  [Code.persist]: keeps(persist),
  [Code.rename]: keeps(rename),
  [Code.copy]: grows(copy),
  [Code.move]: keeps(move),
  [Code.facts]: keeps(facts),
  [Code.digestValues]: keeps(digestValues),
  [Code.dump]: keeps(dump),
  [Code.restore]: grows(restore),
  [Code.sort]: keeps(sort),
  [Code.sortStore]: grows(sortStore),
  [Code.scan]: keeps(scan),
  [Code.walk]: keeps(walk),
  [Code.randomKey]: keeps(randomKey),
  [Code.counts]: keeps(counts),
  [Code.flush]: keeps(flush),
  [Code.flushAll]: keeps(flushAll),
  [Code.swapDatabases]: keeps(swapDatabases),
  [Code.activeExpiry]: keeps(activeExpiry),
  [Code.memory]: keeps(memory),
  [Code.setMemoryLimits]: keeps(setMemoryLimits),
  [Code.statistics]: keeps(statistics),
  [Code.resetStatistics]: keeps(resetStatistics),
  [Code.digest]: keeps(digest),
  [Code.fieldGet]: keeps(fieldGet),
  [Code.fieldMultiGet]: keeps(fieldMultiGet),
  [Code.fieldSet]: grows(fieldSet),
  [Code.fieldRemove]: keeps(fieldRemove),
  [Code.fieldIncrement]: grows(fieldIncrement),
  [Code.fieldCheckAndSet]: grows(fieldCheckAndSet),
  [Code.fieldCount]: keeps(fieldCount),
  [Code.fieldTimeToLive]: keeps(fieldTimeToLive),
  [Code.fieldScan]: keeps(fieldScan),
  [Code.fullScan]: keeps(fullScan),
  [Code.listPush]: grows(listPush),
  [Code.listPop]: keeps(listPop),
  [Code.listPopFirst]: { ...keeps(listPopFirst), awaits: takesFrom(RowType.list) },
  [Code.listMove]: { ...grows(listMove), awaits: takesFrom(RowType.list) },
  [Code.listLength]: keeps(listLength),
  [Code.listRange]: keeps(listRange),
  [Code.listGet]: keeps(listGet),
  [Code.listSet]: grows(listSet),
  [Code.listInsert]: grows(listInsert),
  [Code.listRemove]: keeps(listRemove),
  [Code.listTrim]: keeps(listTrim),
  [Code.listFind]: keeps(listFind),
  [Code.setAdd]: grows(setAdd),
  [Code.setRemove]: keeps(setRemove),
  [Code.setSize]: keeps(setSize),
  [Code.setHas]: keeps(setHas),
  [Code.setMembers]: keeps(setMembers),
  [Code.setPop]: keeps(setPop),
  [Code.setRandom]: keeps(setRandom),
  [Code.setMove]: keeps(setMove),
  [Code.setCombine]: keeps(setCombine),
  [Code.setCombineStore]: grows(setCombineStore),
  [Code.setCommonCount]: keeps(setCommonCount),
  [Code.setScan]: keeps(setScan),
  [Code.hashSet]: grows(hashSet),
  [Code.hashSetIf]: grows(hashSetIf),
  [Code.hashLength]: keeps(hashLength),
  [Code.hashAll]: keeps(hashAll),
  [Code.hashIncrementFloat]: grows(hashIncrementFloat),
  [Code.hashRandom]: keeps(hashRandom),
  [Code.hashScan]: keeps(hashScan),
  [Code.hashExpire]: keeps(hashExpire),
  [Code.hashPersist]: keeps(hashPersist),
  [Code.hashTimesToLive]: keeps(hashTimesToLive),
  [Code.hashExpireTimes]: keeps(hashExpireTimes),
  [Code.hashGetAndExpire]: keeps(hashGetAndExpire),
  [Code.hashGetAndRemove]: keeps(hashGetAndRemove),
  [Code.zsetAdd]: grows(zsetAdd),
  [Code.zsetIncrement]: grows(zsetIncrement),
  [Code.zsetRemove]: keeps(zsetRemove),
  [Code.zsetSize]: keeps(zsetSize),
  [Code.zsetScores]: keeps(zsetScores),
  [Code.zsetRank]: keeps(zsetRank),
  [Code.zsetRange]: keeps(zsetRange),
  [Code.zsetRangeStore]: grows(zsetRangeStore),
  [Code.zsetCount]: keeps(zsetCount),
  [Code.zsetRemoveRange]: keeps(zsetRemoveRange),
  [Code.zsetPop]: keeps(zsetPop),
  [Code.zsetPopFirst]: { ...keeps(zsetPopFirst), awaits: takesFrom(RowType.zset) },
  [Code.zsetRandom]: keeps(zsetRandom),
  [Code.zsetScan]: keeps(zsetScan),
  [Code.zsetCombine]: keeps(zsetCombine),
  [Code.zsetCombineStore]: grows(zsetCombineStore),
  [Code.zsetCommonCount]: keeps(zsetCommonCount),
  [Code.streamAdd]: grows(streamAdd),
  [Code.streamTrim]: keeps(streamTrim),
  [Code.streamLength]: keeps(streamLength),
  [Code.streamRange]: keeps(streamRange),
  [Code.streamRemove]: keeps(streamRemove),
  [Code.streamRemoveReferenced]: keeps(streamRemoveReferenced),
  [Code.streamSetId]: grows(streamSetId),
  [Code.streamRead]: { ...keeps(streamRead), awaits: streamReadWait },
  [Code.streamInfo]: keeps(streamInfo),
  [Code.streamFullInfo]: keeps(streamFullInfo),
  [Code.groupRead]: { ...keeps(groupRead), awaits: groupReadWait },
  [Code.groupAcknowledge]: keeps(groupAcknowledge),
  [Code.groupAcknowledgeRemove]: keeps(groupAcknowledgeRemove),
  [Code.groupPending]: keeps(groupPending),
  [Code.groupPendingRange]: keeps(groupPendingRange),
  [Code.groupClaim]: keeps(groupClaim),
  [Code.groupAutoClaim]: keeps(groupAutoClaim),
  [Code.groupCreate]: grows(groupCreate),
  [Code.groupSetId]: keeps(groupSetId),
  [Code.groupDestroy]: keeps(groupDestroy),
  [Code.consumerCreate]: grows(consumerCreate),
  [Code.consumerRemove]: keeps(consumerRemove),
  [Code.groupsInfo]: keeps(groupsInfo),
  [Code.consumersInfo]: keeps(consumersInfo),
  [Code.geoSearch]: keeps(geoSearch),
  [Code.geoSearchStore]: grows(geoSearchStore),
  [Code.transaction]: keeps(transaction),
  [Code.growingTransaction]: grows(transaction),
  [Code.readTransaction]: keeps(transaction),
  [Code.marks]: keeps(marks),
  [Code.listen]: keeps(listen),
  [Code.publish]: keeps(publish),
  [Code.topics]: keeps(topics),
  [Code.listeners]: keeps(listeners),
  [Code.script]: keeps(script),
  [Code.readScript]: keeps(readScript),
  [Code.loadScript]: keeps(loadScript),
  [Code.scriptsExist]: keeps(scriptsExist),
  [Code.flushScripts]: keeps(flushScripts),
  [Code.endScript]: keeps(noScriptRuns),
  [Code.scriptStatus]: keeps(libraries),
  [Code.callFunction]: keeps(callFunction),
  [Code.readFunction]: keeps(readFunction),
  [Code.libraries]: keeps(libraries),
  [Code.setNotifications]: keeps(setNotifications),
  [Code.notifications]: keeps(notifications),
  [Code.changeLibraries]: keeps(changeLibraries),
};

/** By code; undefined where no operation has that number. An array, as every operation passes here. */
export const executors: readonly (Executor | undefined)[] = index();

function index(): (Executor | undefined)[] {
  const byCode: (Executor | undefined)[] = [];
  for (const [name, code] of Object.entries(Code)) {
    const entry = table[code];
    invariant(entry !== undefined, `operation ${name} (${code}) has an executor`);
    invariant(byCode[code] === undefined, `operation code ${code} is used once`);
    byCode[code] = { ...entry, write: !isReadOnly(code) };
  }
  return byCode;
}
