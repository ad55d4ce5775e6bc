/**
 * What is expected of us: stock.json and stock-cluster.json hold the names of the tests that a stock server passes,
 * expected.json and expected-cluster.json those of them that are not required, each with the reason.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../cluster/local-cluster.js';

export type Mode = 'single' | 'cluster';

/** Tests of one unit that a stock server passes and that are not required of us. */
export interface NotRequired {
  readonly unit: string;
  readonly reason: string;
  readonly tests: readonly string[];
  /** They would wait for ever and end the unit, or leave a connection behind with which no later test can work. */
  readonly leftOut?: boolean;
}

function file(name: 'stock' | 'expected', mode: Mode): string {
  return join(projectFolder, 'test/conformance', mode === 'cluster' ? `${name}-cluster.json` : `${name}.json`);
}

export const stockFile = (mode: Mode): string => file('stock', mode);

export function notRequired(mode: Mode): readonly NotRequired[] {
  return (JSON.parse(readFileSync(file('expected', mode), 'utf8')) as { notRequired: NotRequired[] }).notRequired;
}

/** By unit the names of the tests that a stock server passes. */
export function stockTests(mode: Mode): Readonly<Record<string, readonly string[]>> {
  const path = stockFile(mode);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, string[]>) : {};
}
