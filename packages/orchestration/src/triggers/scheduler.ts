import { FileTriggers, type FileTriggersDependencies } from './file-triggers.ts';
import { ScheduleTriggers } from './schedule-triggers.ts';
import { StreamTriggers } from './stream-triggers.ts';

/** Something to look at with every tick; it says itself when there is something to do. */
export interface Chore {
  /** In the plural, for the log: `schedules`. */
  what: string;
  tick: () => Promise<void>;
}

export interface SchedulerDependencies extends FileTriggersDependencies {
  /** What else is looked at. @default none */
  chores?: readonly Chore[];
  log: (line: { message: string; error: unknown }) => void;
}

/** What raises triggers by looking. Call {@link Scheduler.tick} every second or so; any number of schedulers may work on one database. */
export class Scheduler {
  readonly #log: SchedulerDependencies['log'];
  readonly #parts: Chore[];
  #ticking: Promise<void> | undefined;

  constructor(dependencies: SchedulerDependencies) {
    const schedules = new ScheduleTriggers(dependencies);
    const files = new FileTriggers(dependencies);
    const streams = new StreamTriggers(dependencies);
    this.#log = dependencies.log;
    this.#parts = [
      { what: 'schedules', tick: () => schedules.tick() },
      { what: 'files', tick: () => files.tick() },
      { what: 'streams', tick: () => streams.tick() },
      ...(dependencies.chores ?? []),
    ];
  }

  /** Looks at schedules, files and streams once. What fails is logged and looked at again with the next tick; a tick that comes too soon joins the one under way. */
  tick(): Promise<void> {
    this.#ticking ??= this.#tickParts().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  /** Waits for the tick that is under way, if there is one. */
  async settle(): Promise<void> {
    await this.#ticking;
  }

  async #tickParts(): Promise<void> {
    await Promise.all(
      this.#parts.map(({ what, tick }) =>
        tick().catch((error: unknown) => this.#log({ message: `could not look at the ${what}`, error })),
      ),
    );
  }
}
