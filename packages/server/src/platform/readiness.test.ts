import { afterEach, describe, expect, it, vi } from 'vitest';
import { Readiness } from './readiness.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('readiness', () => {
  it('is there while predictions are answered, whether or not the database is', async () => {
    expect(await new Readiness(async () => 1).check()).toEqual({
      ready: true,
      parts: { serving: true, database: true },
    });
    expect(await new Readiness(async () => Promise.reject(new Error('gone'))).check()).toEqual({
      ready: true,
      parts: { serving: true, database: false },
    });
  });

  it('does not wait for a database that says nothing', async () => {
    vi.useFakeTimers();
    const checked = new Readiness(() => new Promise(() => undefined)).check();
    await vi.advanceTimersByTimeAsync(500);
    expect(await checked).toEqual({ ready: true, parts: { serving: true, database: false } });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is over once the server drains, and says so to who must not keep it', async () => {
    const readiness = new Readiness(async () => 1);
    expect(readiness.stopping.aborted).toBe(false);
    readiness.drain();
    expect(readiness.stopping.aborted).toBe(true);
    expect(await readiness.check()).toEqual({ ready: false, parts: { serving: false, database: true } });
  });
});
