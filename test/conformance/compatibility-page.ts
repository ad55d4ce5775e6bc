/** docs/compatibility.md: what the command table says, and which of Redis's own tests do not pass, and why. */
import { compatibilityPage } from '../../shared/commands/compatibility.js';
import { commands } from '../../shared/commands/index.js';
import { type Mode, notRequired, stockTests } from './expected.js';

export function wholePage(): string {
  return [
    compatibilityPage(commands),
    "## Redis's own tests",
    '',
    ...tests('single', 'One partition, as a single Redis'),
    ...tests('cluster', 'With `--cluster-mode`, 8 partitions whose keys of one command share a slot'),
  ].join('\n');
}

/** By reason, those with the most tests first. */
function tests(mode: Mode, title: string): string[] {
  const byReason = new Map<string, string[]>();
  const stock = stockTests(mode);
  let missing = 0;
  for (const { unit, reason, tests: names } of notRequired(mode)) {
    const lines = byReason.get(reason) ?? [];
    lines.push(`  - \`${unit}\`: ${names.map(literal).join('; ')}`);
    byReason.set(reason, lines);
    // names repeat within a unit
    missing += (stock[unit] ?? []).filter((name) => names.includes(name)).length;
  }
  const all = Object.values(stock).flat().length;
  return [
    `${title}: ${count(all - missing)} of the ${count(all)} tests that a stock server passes are required. The others:`,
    '',
    ...[...byReason].flatMap(([reason, lines]) => [`- ${reason.charAt(0).toUpperCase()}${reason.slice(1)}:`, ...lines]),
    '',
  ];
}

const count = (number: number): string => number.toLocaleString('en');

/** A test's name may hold what Markdown takes for formatting. */
function literal(name: string): string {
  return name.replaceAll(/[<*_[\]|`\\]/g, String.raw`\$&`);
}
