import type { CheckFinding } from '../finding.ts';
import { numberText } from '../wording.ts';
import type { PairedTimings } from './timings.ts';

/** As many times slower than the champion a candidate may be. */
export const MOST_TIMES_SLOWER = 3;
/** Below this a difference is of no account, however large as a ratio: a request takes several times as long before the model is asked. */
const SMALLEST_DIFFERENCE_MILLISECONDS = 0.05;

/**
 * Whether anything takes more than {@link MOST_TIMES_SLOWER} times as long as with the champion, by the medians. A quarter of the candidate's times must
 * not be as short as a quarter of the champion's is long, or it is called noise.
 */
export function checkSlowdown(timings: readonly PairedTimings[]): CheckFinding {
  const ratios = timings.map((timing) => ({ ...timing, ratio: ratioOf(timing) }));
  const worst = ratios.reduce((most, timing) => (timing.ratio > most.ratio ? timing : most));
  const slower = ratios.filter((timing) => timing.ratio > MOST_TIMES_SLOWER && isClear(timing));
  const told = slower.length > 0 ? slower : [worst];
  return {
    name: 'served-latency',
    subject: null,
    outcome: slower.length > 0 ? 'fail' : 'pass',
    explanation: `${told.map(sentence).join(' ')} At most ${MOST_TIMES_SLOWER} times as long is allowed.`,
    measured: Math.max(...told.map(({ ratio }) => ratio)),
    limit: MOST_TIMES_SLOWER,
  };
}

function ratioOf({ candidate, champion }: PairedTimings): number {
  return candidate.quantile(0.5) / champion.quantile(0.5);
}

function isClear({ candidate, champion }: PairedTimings): boolean {
  const difference = candidate.quantile(0.5) - champion.quantile(0.5);
  return difference > SMALLEST_DIFFERENCE_MILLISECONDS && candidate.quantile(0.25) > champion.quantile(0.75);
}

function sentence({ what, candidate, champion, ratio }: PairedTimings & { ratio: number }): string {
  const [ours, theirs] = [candidate.quantile(0.5), champion.quantile(0.5)].map(numberText);
  const subject = what.charAt(0).toUpperCase() + what.slice(1);
  return `${subject} takes ${ours} ms, with the champion ${theirs} ms: ${numberText(ratio)} times as long.`;
}
