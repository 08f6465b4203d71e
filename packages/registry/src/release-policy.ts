import type { ReleasePolicy, Verdict } from '@perennial/contract';

/** What becomes of a version once its verdict is known. */
export type ReleaseDecision =
  /** It goes live at once. */
  | 'promote'
  /** It waits for a person. */
  | 'request'
  /** It stays a version; no release is asked for. */
  | 'none';

/**
 * The one place that decides whether a version may go into production by itself. Only a shown `pass` may, or the first version of a model,
 * which there is nothing to be worse than; an inconclusive verdict holds.
 */
export function decideRelease({ approval }: ReleasePolicy, verdict: Verdict): ReleaseDecision {
  switch (verdict) {
    case 'pass':
    case 'no-baseline':
      return approval === 'automatic' ? 'promote' : 'request';
    case 'fail':
    case 'inconclusive':
      return 'none';
  }
}
