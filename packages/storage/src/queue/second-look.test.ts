import { EventEmitter } from 'node:events';
import type { WorkerEvents } from 'graphile-worker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lookTwice } from './second-look.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A worker's events, and how often it was told to look by the second look. */
function listening() {
  const events = new EventEmitter() as WorkerEvents;
  lookTwice(events);
  const looks: number[] = [];
  const workerPool = { nudge: (count: number) => void looks.push(count) };
  return { events, looks, notify: () => events.emit('pool:listen:notification', { workerPool } as never) };
}

describe('a second look for jobs', () => {
  it('follows each notification within a tenth of a second, and not at once', () => {
    const { looks, notify } = listening();
    notify();
    vi.advanceTimersByTime(19);
    expect(looks).toEqual([]);
    vi.advanceTimersByTime(81);
    expect(looks).toEqual([1]);
    notify();
    vi.advanceTimersByTime(100);
    expect(looks).toEqual([1, 1]);
  });

  it.each(['pool:gracefulShutdown', 'pool:forcefulShutdown', 'pool:release'] as const)(
    'does not follow after %s',
    (end) => {
      const { events, looks, notify } = listening();
      notify();
      events.emit(end, {} as never);
      vi.advanceTimersByTime(100);
      expect(looks).toEqual([]);
    },
  );
});
