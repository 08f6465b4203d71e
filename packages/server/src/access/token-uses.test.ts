import { expect, it } from 'vitest';
import { ManualClock } from '@perennial/contract';
import { TokenUses } from './token-uses.ts';

const clock = new ManualClock('2024-03-11T03:04:05Z');

it('writes the last minute of each token once, and keeps what could not be written', async () => {
  const written: (readonly { id: string; at: Date }[])[] = [];
  const problems: unknown[] = [];
  let away = true;
  const uses = new TokenUses({
    onProblem: (problem) => problems.push(problem),
    record: (seen) => {
      if (away) return Promise.reject(new Error('away'));
      written.push(seen);
      return Promise.resolve();
    },
  });
  uses.note('a', clock.now());
  uses.note('b', clock.now());
  await uses.flush();
  expect(problems).toHaveLength(1);
  away = false;
  uses.note('a', new Date('2024-03-11T03:06:59Z'));
  await uses.close();
  expect(written).toEqual([
    [
      { id: 'a', at: new Date('2024-03-11T03:06:00Z') },
      { id: 'b', at: new Date('2024-03-11T03:04:00Z') },
    ],
  ]);
  await uses.flush();
  expect(written).toHaveLength(1);
});
