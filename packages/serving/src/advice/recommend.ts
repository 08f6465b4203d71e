import type { PredictionCosts, ServingOption, ServingWay } from '@perennial/contract';
import type { Observed, ServingOptions } from './serving-options.ts';

export interface Recommendation {
  recommendation: ServingWay | null;
  /** Plain sentences, the one that decided first. */
  reasons: string[];
}

/** Static serving leaves what is asked for new keys without an answer; more of that than this is too much. */
const MOST_UNANSWERED = 0.01;

/** A table whose answers were made from other features than those that are asked with is none, where it is so for more keys than this. */
const MOST_CHANGING = 0.5;

/** A table is a part to run and to keep fresh: it must save this share of the work. */
const LEAST_SAVING = 0.2;

/** What nothing can be said of. */
export const NOTHING_ASKED: Recommendation = {
  recommendation: null,
  reasons: ['Nobody asked for a prediction in this time, so there is nothing to judge by.'],
};

export const NO_KEYS: Recommendation = {
  recommendation: 'dynamic',
  reasons: [
    'The predictions in the log have no keys, so nothing tells which of them are about the same thing, and nothing can be computed before it is asked for.',
    'Where a prediction is about an entity (a customer, a flight), send its key with the request (`keys`): the log then shows what a table would answer.',
  ],
};

/**
 * Which way fits, by cardinality (how many keys) and peakedness (how unevenly they are asked for): few keys, all asked for often, are best computed before; many of which few are
 * asked for often, in part; many that come once each, when they are asked for. The two notions are those of Google's courses on static and dynamic inference
 * (developers.google.com/machine-learning/crash-course/production-ml-systems/static-vs-dynamic-inference).
 */
export function recommend(observed: Observed, options: ServingOptions): Recommendation {
  const judged = judge(observed, options);
  return {
    ...judged,
    reasons: [...judged.reasons, ...spreadOf(observed), ...missingFigures(observed.costs)],
  };
}

function judge(observed: Observed, options: ServingOptions): Recommendation {
  const { keyedShare, costs, keys } = observed;
  if (keyedShare < 0.5) return dynamic(`${percent(1 - keyedShare)} of the predictions have no key.`);
  if ((costs.changingFeatures ?? 0) > MOST_CHANGING)
    return dynamic(
      `Of the keys that come again, ${percent(costs.changingFeatures ?? 0)} come with other features than before: an answer that was computed before would be one to another question.`,
    );
  const saving = savingOf(options.hybrid, observed);
  if (saving < LEAST_SAVING)
    return dynamic(
      `A key is asked for ${decimal((observed.predictionsPerDay * keyedShare) / keys.distinct)} times a day on average: a table that is computed once a day would save ${percent(Math.max(0, saving))} of the work at most.`,
    );
  return staticOrHybrid(observed, options);
}

function staticOrHybrid(observed: Observed, { static: whole, hybrid }: ServingOptions): Recommendation {
  const saving = savingOf(whole, observed);
  if (whole.unanswered <= MOST_UNANSWERED && saving >= LEAST_SAVING)
    return {
      recommendation: 'static',
      reasons: [
        `A table of all ${count(whole.keys)} keys, computed once a day, answers ${percent(whole.fromTable)} of what was asked and saves ${percent(saving)} of the work.`,
      ],
    };
  const reasons = [
    `The ${count(hybrid.keys)} most asked-for keys get ${percent(hybrid.fromTable)} of the predictions: a table of them, with the rest computed when it is asked for, saves ${percent(savingOf(hybrid, observed))} of the work.`,
  ];
  if (whole.unanswered > MOST_UNANSWERED)
    reasons.push(`A table alone would leave ${percent(whole.unanswered)} without an answer.`);
  else reasons.push(`A table of all ${count(whole.keys)} keys would save ${percent(Math.max(0, saving))}.`);
  return { recommendation: 'hybrid', reasons };
}

const dynamic = (reason: string): Recommendation => ({ recommendation: 'dynamic', reasons: [reason] });

/** Share of the rows that need not be computed, against all of them when asked for. */
function savingOf({ keys, fromTable, way }: ServingOption, { predictionsPerDay }: Observed): number {
  const live = way === 'static' ? 0 : (1 - fromTable) * predictionsPerDay;
  return 1 - (keys + live) / predictionsPerDay;
}

function spreadOf({ keys }: Observed): string[] {
  const { distinct, normalizedEntropy, topPercentShare, zipfExponent, newShare } = keys;
  const measures = [
    ...(normalizedEntropy === null ? [] : [`normalised entropy ${normalizedEntropy.toFixed(2)}`]),
    ...(zipfExponent === null ? [] : [`Zipf exponent ${zipfExponent.toFixed(2)}`]),
  ];
  const measured = measures.length === 0 ? '' : ` (${measures.join(', ')})`;
  return [
    `${count(distinct)} different keys were asked for; the most asked-for one in a hundred gets ${percent(topPercentShare)} of the predictions${measured}.`,
    ...(newShare === null
      ? []
      : [`${percent(newShare)} of the predictions were about a key on its first day.`]),
  ];
}

function missingFigures({ latency }: PredictionCosts): string[] {
  if (latency.precomputed !== null) return [];
  return [
    'How fast a lookup is the log cannot tell yet, as none was made: precompute the model once, and it will.',
  ];
}

const percent = (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 0)} %`;
const count = (value: number) => value.toLocaleString('en-US');
const decimal = (value: number) => value.toFixed(value < 10 ? 1 : 0);
