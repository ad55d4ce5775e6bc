/** Runs one unit of Redis's suite against a port and reads what it prints. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type Status = 'ok' | 'err' | 'skip' | 'ignore';

export interface TestResult {
  readonly name: string;
  readonly status: Status;
  /** Of a failed test: what the suite says, several lines. */
  readonly error: string;
}

export interface UnitResult {
  readonly unit: string;
  readonly tests: readonly TestResult[];
  /** Undefined when the unit ran to its end; else why it did not. */
  readonly aborted: string | undefined;
  readonly seconds: number;
}

// The suite colours its words even when nobody looks.
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const statusLine = /^\[(ok|err|skip|ignore|exception|TIMEOUT)\]: (.*)$/;
const otherLine = /^(\[|Testing |Waiting for|Cleanup|Starting test server)/;

/** Reads the suite's output; exported for its test. */
export function parseUnitOutput(output: string): { tests: TestResult[]; aborted: string | undefined } {
  const [run = '', end] = output.replace(colours, '').split(/^ +The End$/m);
  const tests: TestResult[] = [];
  let aborted: string | undefined;
  let detail: string[] | undefined;
  const finish: (() => void)[] = [];
  for (const line of run.split('\n')) {
    const [, status, text = ''] = statusLine.exec(line) ?? [];
    if (status === undefined) {
      if (otherLine.test(line)) detail = undefined;
      else detail?.push(line);
      continue;
    }
    const lines: string[] = [];
    detail = lines;
    if (status === 'exception' || status === 'TIMEOUT') {
      finish.push(() => {
        aborted = [text, ...lines].join('\n').trim();
      });
    } else if (status === 'err') {
      const name = text.replace(/ in tests\/\S+\.tcl$/, '');
      finish.push(() => tests.push({ name, status, error: lines.join('\n').trim() }));
    } else {
      const name = status === 'ok' ? text.replace(/ \(\d+ ms\)$/, '') : text;
      finish.push(() => tests.push({ name, status: status as Status, error: '' }));
    }
  }
  for (const step of finish) step();
  if (end === undefined)
    aborted ??= ['the suite ended before the unit did; it said last:', ...lastLines(run)].join('\n');
  return { tests, aborted };
}

function lastLines(output: string): string[] {
  return output.trimEnd().split('\n').slice(-LAST_LINES);
}

/** What a unit that ended by itself is judged by when it gave no reason. */
const LAST_LINES = 8;
/** Without progress for so long a unit is ended: its longest test takes 40 s on a machine that does something else, too. */
const STALLED_S = 300;

/** Runs that find their ports taken, by another run of the suite for instance, begin again with others. */
const PORT_ATTEMPTS = 5;

export async function runUnit(...run: Parameters<typeof runOnce>): Promise<UnitResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await runOnce(...run);
    const portTaken = result.tests.length === 0 && result.aborted?.includes('address already in use') === true;
    if (!portTaken || attempt === PORT_ATTEMPTS) return result;
  }
}

/**
 * Runs a unit to its end, or for at most `deadlineMs`; a test without progress ends it, too, so those that would
 * wait for ever are to be left out.
 */
async function runOnce(
  suite: string,
  unit: string,
  port: number,
  { leftOut = [], clusterMode = false }: { leftOut?: readonly string[]; clusterMode?: boolean } = {},
  deadlineMs = 1_200_000,
): Promise<UnitResult> {
  const started = performance.now();
  const where = ['--host', '127.0.0.1', '--port', String(port)];
  const mode = clusterMode ? ['--cluster-mode'] : [];
  // two runs on one machine must not want the same port
  const ports = ['--baseport', String(12_000 + 40 * Math.floor(200 * Math.random()))];
  const without = leftOut.flatMap((name) => ['--skiptest', name]);
  const limits = ['--tags', '-slow', '--timeout', String(STALLED_S), ...without];
  const how = [...mode, ...ports, '--durable', '--clients', '1', ...limits, '--single', unit];
  const child = spawn('tclsh', ['tests/test_helper.tcl', ...where, ...how], {
    cwd: suite,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group: the suite starts a second interpreter that must end with it.
    detached: true,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
  const killGroup = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const timer = setTimeout(killGroup, deadlineMs);
  await once(child, 'close');
  clearTimeout(timer);
  return { unit, ...parseUnitOutput(output), seconds: (performance.now() - started) / 1000 };
}
