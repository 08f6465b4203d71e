import { expect, it } from 'vitest';
import { DEFAULT_SERVING } from '@perennial/contract';
import { servesLiveOnly } from './serves-live-only.ts';

it('is so of a model of which nothing is said but what goes on record, and of none that has a cache or another mode', () => {
  expect(servesLiveOnly(DEFAULT_SERVING)).toBe(true);
  expect(servesLiveOnly({ modes: ['online'], record: { sample: 0.5 } })).toBe(true);
  expect(servesLiveOnly({ modes: ['online', 'offline'] })).toBe(false);
  expect(servesLiveOnly({ modes: ['offline'] })).toBe(false);
  expect(servesLiveOnly({ modes: ['online'], cache: { predictions: { maxAge: '1m' } } })).toBe(false);
});
