import type { ReleasePolicy } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { decideRelease } from './release-policy.ts';

const policyOf = (approval: 'automatic' | 'required'): ReleasePolicy =>
  approval === 'automatic' ? { approval } : { approval, approvers: 1, expires: '7d' };

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
      expect(decideRelease(policyOf(approval), verdict, gate)).toBe(decision);
    },
  );
});
