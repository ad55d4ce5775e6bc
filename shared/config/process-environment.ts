/** The only place that reads `process.env`: everything else gets what it needs as an argument. */
export function processEnvironment(): Record<string, string | undefined> {
  return { ...process.env };
}
