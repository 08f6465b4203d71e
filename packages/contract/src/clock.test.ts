import { expect, it } from 'vitest';
import { ManualClock } from './clock.ts';

it('stands still until it is moved, forwards or back', () => {
  const clock = new ManualClock('2001-03-01T00:00:00Z');
  expect(clock.now()).toEqual(clock.now());
  clock.advance(1_500);
  expect(clock.now().toISOString()).toBe('2001-03-01T00:00:01.500Z');
  clock.set(new Date('2000-01-01T00:00:00Z'));
  expect(clock.now().toISOString()).toBe('2000-01-01T00:00:00.000Z');
});

it('gives out instants that a caller may change without moving it', () => {
  const clock = new ManualClock('2001-03-01T00:00:00Z');
  clock.now().setUTCFullYear(1970);
  expect(clock.now().getUTCFullYear()).toBe(2001);
});
