import type { GateSpec, ReleasePolicy, Verdict } from '@perennial/contract';

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
 * which there is nothing to be worse than. An inconclusive verdict holds, unless the gate says that it is to be taken as a pass.
 */
export function decideRelease(
  { approval }: ReleasePolicy,
  verdict: Verdict,
  inconclusive: GateSpec['inconclusive'],
): ReleaseDecision {
  const allowed = approval === 'automatic' ? 'promote' : 'request';
  switch (verdict) {
    case 'pass':
    case 'no-baseline':
      return allowed;
    case 'inconclusive':
      return inconclusive === 'release' ? allowed : 'none';
    case 'fail':
      return 'none';
  }
}
