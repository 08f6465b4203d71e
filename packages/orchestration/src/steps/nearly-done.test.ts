import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whenNearlyDone } from './nearly-done.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('work that is nearly done', () => {
  it('is acted on once, when three seconds are left at the pace so far', () => {
    const acted: number[] = [];
    let share = 0;
    const listen = whenNearlyDone(() => acted.push(share));
    for (const done of [0, 0.25, 0.5, 0.75, 1]) {
      listen((share = done));
      vi.advanceTimersByTime(2_500);
    }
    expect(acted).toEqual([0.75]);
  });

  it('is not acted on before it has begun', () => {
    const listen = whenNearlyDone(() => expect.fail('acted'));
    listen(0);
    vi.advanceTimersByTime(60_000);
    listen(0);
    listen(0.01);
  });
});
