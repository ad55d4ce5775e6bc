/** Operations about scripts: their arguments. What runs them is in server/scripting. */
import type { Execute } from '../execution/view.js';
import {
  booleanAt,
  bytesAt,
  bytesFrom,
  bytesOrNullAt,
  compactLimitsAt,
  listAt,
  numberAt,
  stringAt,
  type Arguments,
} from './arguments.js';
import type { ScriptContext } from '../../shared/operations/scripts.js';

function contextAt(args: Arguments, index: number): ScriptContext {
  const given = listAt(args, index);
  return {
    lfu: booleanAt(given, 0),
    hashLimits: compactLimitsAt(given, 1),
    zsetLimits: compactLimitsAt(given, 2),
    streamNodes: compactLimitsAt(given, 3),
    sketchSparseBytes: given[4] === null ? null : numberAt(given, 4),
    user: given[5] === null ? null : (listAt(given, 5) as readonly string[]),
  };
}

const evaluate =
  (mayWrite: boolean): Execute =>
  (view, args) =>
    view.engine.evaluate(view, {
      text: bytesOrNullAt(args, 0),
      sha: stringAt(args, 1),
      mayWrite,
      keys: bytesFrom(listAt(args, 2), 0),
      args: bytesFrom(listAt(args, 3), 0),
      context: contextAt(args, 4),
    });

export const script = evaluate(true);
export const readScript = evaluate(false);

export const loadScript: Execute = (view, args) => {
  view.engine.load(bytesAt(args, 0), stringAt(args, 1));
  return true;
};

export const scriptsExist: Execute = (view, args) =>
  bytesFrom(args, 0).map((sha) => view.engine.knows(sha.latin1Slice()));

export const flushScripts: Execute = (view) => {
  view.engine.flush();
  return true;
};
