import { describe, expect, test } from 'vitest';
import { Backlog } from './backlog.ts';

describe('the backlog', () => {
  const start = () => {
    const clock = { now: 5_000 };
    return { clock, backlog: new Backlog(() => clock.now) };
  };

  test('is of no age when nothing waits', () => {
    const { backlog } = start();
    expect(backlog.oldestSeconds).toBe(0);
    backlog.written({ segment: 1, offset: 10 });
    backlog.shipped({ segment: 1, offset: 10 });
    expect(backlog.oldestSeconds).toBe(0);
  });

  test('is as old as the oldest that is not shipped', () => {
    const { clock, backlog } = start();
    for (const offset of [10, 20, 30]) {
      backlog.written({ segment: 1, offset });
      clock.now += 2_000;
    }
    expect(backlog.oldestSeconds).toBe(6);
    backlog.shipped({ segment: 1, offset: 15 });
    expect(backlog.oldestSeconds).toBe(4);
    backlog.shipped({ segment: 2, offset: 0 });
    expect(backlog.oldestSeconds).toBe(0);
  });

  test('takes what comes within a second together', () => {
    const { clock, backlog } = start();
    for (let offset = 1; offset <= 900; offset++, clock.now++) backlog.written({ segment: 1, offset });
    backlog.shipped({ segment: 1, offset: 899 });
    expect(backlog.oldestSeconds).toBeCloseTo(0.9);
  });

  test('of days keeps its age and a bounded memory', () => {
    const { clock, backlog } = start();
    for (let second = 0; second < 300_000; second++, clock.now += 1_000)
      backlog.written({ segment: 1, offset: second });
    expect(backlog.oldestSeconds).toBe(300_000);
  });
});
