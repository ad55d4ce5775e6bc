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
import type { ScriptCall, ScriptContext } from '../../shared/operations/scripts.js';

function contextAt(args: Arguments, index: number): ScriptContext {
  const given = listAt(args, index);
  return {
    lfu: booleanAt(given, 0),
    hashLimits: compactLimitsAt(given, 1),
    zsetLimits: compactLimitsAt(given, 2),
    streamNodes: compactLimitsAt(given, 3),
    sketchSparseBytes: given[4] === null ? null : numberAt(given, 4),
    user: given[5] === null ? null : (listAt(given, 5) as readonly string[]),
    busyAfterMs: numberAt(given, 6),
    mayAll: booleanAt(given, 7),
    reports: numberAt(given, 8),
  };
}

/** What follows the script or function: shared/operations/scripts.ts. */
const callAt = (args: Arguments, index: number): ScriptCall => ({
  keys: bytesFrom(listAt(args, index), 0),
  args: bytesFrom(listAt(args, index + 1), 0),
  context: contextAt(args, index + 2),
});

const evaluate =
  (mayWrite: boolean): Execute =>
  (view, args) =>
    view.engine.evaluate(view, {
      text: bytesOrNullAt(args, 0),
      sha: stringAt(args, 1),
      mayWrite,
      ...callAt(args, 2),
    });

export const script = evaluate(true);
export const readScript = evaluate(false);

export const loadScript: Execute = (view, args) => {
  view.engine.load(view, bytesAt(args, 0), stringAt(args, 1));
  return true;
};

export const scriptsExist: Execute = (view, args) =>
  bytesFrom(args, 0).map((sha) => view.engine.knows(view, sha.latin1Slice()));

/** The executor answers it where scripts run: here none does. */
export const noScriptRuns: Execute = () => null;

export const flushScripts: Execute = (view) => {
  view.engine.flush(view);
  return true;
};

const call =
  (mayWrite: boolean): Execute =>
  (view, args) =>
    view.engine.call(view, { name: stringAt(args, 0), mayWrite, ...callAt(args, 1) });

export const callFunction = call(true);
export const readFunction = call(false);

export const libraries: Execute = (view) =>
  view.engine
    .listLibraries(view)
    .map(({ name, code, functions }) => [
      name,
      code,
      [...functions.values()].map((made) => [made.name, made.description, made.flags]),
    ]);

export const changeLibraries: Execute = (view, args) => {
  const what = stringAt(args, 0);
  if (what === 'load') return view.engine.loadLibrary(view, bytesAt(args, 1), booleanAt(args, 2));
  if (what === 'remove') view.engine.removeLibrary(view, stringAt(args, 1));
  else if (what === 'restore') {
    const policy = stringAt(args, 2);
    view.engine.restoreLibraries(
      view,
      bytesFrom(listAt(args, 1), 0),
      policy === 'flush' || policy === 'replace' ? policy : 'append',
    );
  } else view.engine.flushLibraries(view);
  return true;
};
