import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work tells of itself and how it is stopped. */
export interface Turns {
  /** Called between turns of the event loop with the share that is done, 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/**
 * Lets the event loop turn.
 * @throws the signal's reason when it was aborted
 */
export async function turn({ onProgress, signal }: Turns, done: number): Promise<void> {
  onProgress?.(done);
  await nextTurn();
  signal?.throwIfAborted();
}
