import { EventEmitter } from 'node:events';
import type { StepName } from '@perennial/contract';

/** How far a step is. Not stored: what a watcher misses is gone, and the run's events tell the outcome. */
export interface RunProgress {
  /** Edge id of the run. */
  run: string;
  step: StepName;
  /** Share of the step that is done, 0 to 1. */
  done: number;
  message: string;
}

/** Carries live progress from the worker to whoever watches, within one process. */
export class RunProgressHub {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  publish(progress: RunProgress): void {
    this.#emitter.emit(progress.run, progress);
  }

  /** @returns what ends the subscription */
  subscribe(run: string, listener: (progress: RunProgress) => void): () => void {
    this.#emitter.on(run, listener);
    return () => this.#emitter.off(run, listener);
  }
}
