import { describe, expect, it } from 'vitest';
import { decideRelease } from './release-policy.ts';

describe('decideRelease', () => {
  it.each([
    ['pass', 'automatic', 'hold', 'promote'],
    ['pass', 'required', 'hold', 'request'],
    ['no-baseline', 'automatic', 'hold', 'promote'],
    ['no-baseline', 'required', 'hold', 'request'],
    ['inconclusive', 'automatic', 'hold', 'none'],
    ['inconclusive', 'required', 'hold', 'none'],
    ['inconclusive', 'automatic', 'release', 'promote'],
    ['inconclusive', 'required', 'release', 'request'],
    ['fail', 'automatic', 'hold', 'none'],
    ['fail', 'automatic', 'release', 'none'],
    ['fail', 'required', 'release', 'none'],
  ] as const)(
    'for verdict %s, approval %s and inconclusive %s decides %s',
    (...[verdict, approval, gate, decision]) => {
      expect(decideRelease({ approval }, verdict, gate)).toBe(decision);
    },
  );
});
