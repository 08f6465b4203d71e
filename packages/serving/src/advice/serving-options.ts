import type { KeyTraffic, PredictionCosts, ServingOption } from '@perennial/contract';

/** What the log says, as the options are reckoned from it. */
export interface Observed {
  predictionsPerDay: number;
  /** Share of the predictions that come with a key. */
  keyedShare: number;
  keys: KeyTraffic;
  costs: PredictionCosts;
}

export interface ServingOptions {
  dynamic: ServingOption;
  static: ServingOption;
  /** With as many keys as cost least. */
  hybrid: ServingOption;
}

/**
 * The three ways to serve what was asked, side by side. Tables are taken to be computed once a day, at the cost of a live row for each key; a table's lookup is
 * taken to cost no processor time beside the request's own, which all ways have.
 */
export function servingOptions(observed: Observed): ServingOptions {
  return {
    dynamic: dynamicOption(observed),
    static: option(observed, {
      way: 'static',
      keys: observed.keys.distinct,
      fromTable: observed.keyedShare * (1 - (observed.keys.newShare ?? 0)),
      liveShare: 0,
    }),
    hybrid: hybridOption(observed),
  };
}

/** All that can be said where nothing came with a key. */
export function dynamicOption(observed: Pick<Observed, 'predictionsPerDay' | 'costs'>): ServingOption {
  return option(observed, { way: 'dynamic', keys: 0, fromTable: 0, liveShare: 1 });
}

/** A key earns its place in the table when it is asked for more than once between two computations: the best size is where the next keys do not. */
function hybridOption(observed: Observed): ServingOption {
  const { keys, keyedShare, predictionsPerDay } = observed;
  const rowsADay = ({ keys: k, share }: { keys: number; share: number }) =>
    k + (1 - share * keyedShare) * predictionsPerDay;
  const best = keys.curve.reduce((least, point) => (rowsADay(point) < rowsADay(least) ? point : least));
  const fromTable = best.share * keyedShare;
  return option(observed, { way: 'hybrid', keys: best.keys, fromTable, liveShare: 1 - fromTable });
}

interface Shape extends Pick<ServingOption, 'way' | 'keys' | 'fromTable'> {
  /** Share of the predictions that is computed when asked for. */
  liveShare: number;
}

function option(
  { predictionsPerDay, costs }: Pick<Observed, 'predictionsPerDay' | 'costs'>,
  { way, keys, fromTable, liveShare }: Shape,
): ServingOption {
  const { microsecondsPerRow: perRow, bytesPerKey } = costs;
  const rowsADay = keys + liveShare * predictionsPerDay;
  return {
    way,
    keys,
    fromTable,
    unanswered: Math.max(0, 1 - fromTable - liveShare),
    secondsPerDay: perRow === null ? null : (rowsADay * perRow) / 1e6,
    storageBytes: keys === 0 ? 0 : bytesPerKey === null ? null : Math.round(keys * bytesPerKey),
    latencyMicroseconds: meanLatency(costs, { fromTable, liveShare }),
  };
}

function meanLatency(
  { latency: { live, precomputed } }: PredictionCosts,
  { fromTable, liveShare }: { fromTable: number; liveShare: number },
): number | null {
  if ((liveShare > 0 && live === null) || (fromTable > 0 && precomputed === null)) return null;
  const answered = fromTable + liveShare;
  if (answered === 0) return null;
  return (fromTable * (precomputed?.mean ?? 0) + liveShare * (live?.mean ?? 0)) / answered;
}
