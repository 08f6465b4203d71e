import type { ChildProcess } from 'node:child_process';
import type { Preparation } from './job.ts';
import { trainingEnvironment, type ProcessEnvironment } from './process-environment.ts';
import { startChild } from './start-child.ts';

export interface TrainerReserveOptions {
  /** Working folder of the process: the job's. */
  folder: string;
  /** The platform's variables; the process sees few of them. @default none */
  environment?: ProcessEnvironment;
}

/**
 * Keeps a training process ready: it takes half a second of computing to start and load its libraries, which can be done while the data are
 * still being made ready. It is a process like any other, of one training only, and holds about 120 MB while it waits.
 */
export class TrainerReserve {
  readonly #options: TrainerReserveOptions;
  #child: ChildProcess | undefined;

  constructor(options: TrainerReserveOptions) {
    this.#options = options;
  }

  /** Starts the process, unless one waits already. Does not throw: what fails here is told of by the training, which then starts its own. */
  prepare(): void {
    if (this.#child !== undefined) return;
    const { folder, environment = {} } = this.#options;
    const child = startChild({ folder, environment: trainingEnvironment(environment) });
    child.once('error', () => this.#forget(child));
    child.once('exit', () => this.#forget(child));
    this.#child = child;
    const preparation: Preparation = { kind: 'prepare' };
    // A process that is gone by now is noticed by its end.
    child.send(preparation, () => undefined);
  }

  /** The process, which is the caller's from now on; undefined where none waits. */
  take(): ChildProcess | undefined {
    const child = this.#child;
    this.#child = undefined;
    return child;
  }

  /** Ends the process that still waits. */
  close(): void {
    this.take()?.kill('SIGKILL');
  }

  #forget(child: ChildProcess): void {
    if (this.#child === child) this.#child = undefined;
  }
}
