/** Starts what a plan says, keeps it running, and stops it in order: clients first, meta last. */
import type { Role } from '../../shared/cluster.js';
import { Child } from './child.js';
import type { ChildPlan, Plan } from './plan.js';

export interface SupervisorEvents {
  readonly onShutdown: () => void;
  readonly say: (line: string) => void;
  /** A child said at the first start why it cannot run. */
  readonly onHopeless: (name: string, code: string, message: string) => void;
}

/** Failures that another attempt does not mend. */
const HOPELESS = ['E_LISTEN', 'E_CONFIG', 'E_CORRUPT'];
const STOP_ORDER: readonly Role[] = ['proxy', 'server', 'meta'];

export class Supervisor {
  private readonly children: readonly Child[];
  private wasReady = false;

  constructor(plan: Plan, executable: string, threads: number, events: SupervisorEvents) {
    const onDied: Child['events']['onDied'] = (child, how, delayMs, failure) => {
      const { name, logFile } = child.plan;
      if (failure !== null && !this.wasReady && HOPELESS.includes(failure.code)) {
        return events.onHopeless(name, failure.code, failure.message);
      }
      const why = failure === null ? '' : ` (${failure.code}: ${failure.message})`;
      events.say(
        `${name} ${how}${why}; starting it again${delayMs === 0 ? '' : ` in ${delayMs} ms`}. Its log: ${logFile}`,
      );
    };
    this.children = plan.children.map(
      (child: ChildPlan) => new Child(child, executable, threads, { onDied, onShutdown: events.onShutdown }),
    );
  }

  start(): void {
    for (const child of this.children) child.start();
  }

  ready(): void {
    this.wasReady = true;
  }

  async stop(): Promise<void> {
    for (const role of STOP_ORDER) {
      await Promise.all(this.children.filter((child) => child.plan.role === role).map((child) => child.stop()));
    }
  }

  kill(): void {
    for (const child of this.children) child.kill();
  }
}
