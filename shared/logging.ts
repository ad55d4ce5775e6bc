/**
 * Structured logs. Components get their logger through the constructor and see only this small
 * interface, so that tests and the simulator hand in something silent or something that records.
 * Real processes use pino: one JSON object a line, or readable text when a person is watching.
 */
import { createRequire } from 'node:module';
import { pino, type LoggerOptions } from 'pino';
import type { PinoPretty } from 'pino-pretty';

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds these fields to every line. */
  child(fields: Record<string, unknown>): Logger;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * The logger of a process. `fields` are on every line (node, boot). Lines are written synchronously:
 * the last ones before a crash are the ones that matter, and nothing on the hot path logs.
 */
export function createLogger(level: LogLevel, fields: Record<string, unknown>): Logger {
  const options: LoggerOptions = {
    level,
    base: fields,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  if (process.stdout.isTTY) {
    // Loaded here because it is slow to load and most processes write to files.
    const pretty = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
    return pino(options, pretty({ sync: true, translateTime: 'HH:MM:ss.l', ignore: 'pid,hostname' }));
  }
  return pino(options, pino.destination({ dest: 1, sync: true }));
}

const ignore = (): void => undefined;

/** Says nothing: for tests. */
export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
};
