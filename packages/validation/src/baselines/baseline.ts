import type { Baseline } from '@perennial/contract';
import { metricValues } from '../metrics/metric-of.ts';
import type { ScoredRows } from '../scoring/scored-rows.ts';

/** A baseline's metrics on the rows that it was scored on. */
export function baselineOf(name: Baseline['name'], scored: ScoredRows): Baseline {
  return { name, metrics: metricValues(scored) };
}
