/** A tool that fails or is interrupted must not leave servers behind: whoever starts one says here how to kill it. */
const cleanups = new Set<() => void>();

/** Runs `cleanup` when this process ends while it is registered. Returns what takes it back. */
export function atExit(cleanup: () => void): () => void {
  if (cleanups.size === 0 && process.listenerCount('exit', runAll) === 0) {
    process.on('exit', runAll);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
  }
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

function runAll(): void {
  for (const cleanup of cleanups) cleanup();
}
