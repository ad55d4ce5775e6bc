/** What INFO tells of a partition's primary: shared/operations/statistics.ts. */
import type { Execute } from '../execution/view.js';

export const statistics: Execute = (view) => {
  const { engine, tallies } = view;
  const libraries = engine.listLibraries(view);
  const functions = libraries.reduce((sum, library) => sum + library.functions.size, 0);
  const { commands, errors } = engine.statistics;
  return [
    tallies.expired,
    ...engine.known(view),
    libraries.length,
    functions,
    [...commands].map(([name, { calls, usec, rejected, failed }]) => [name, calls, usec, rejected, failed]),
    [...errors].filter(([, count]) => count > 0),
  ];
};

export const resetStatistics: Execute = (view) => {
  view.tallies.expired = 0;
  view.tallies.evicted = 0;
  view.engine.statistics.reset();
  return true;
};
