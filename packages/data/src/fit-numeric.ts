import type { FeatureSpec, FittedFeature } from '@perennial/contract';
import type { Connection } from './engine.ts';
import { DataInvalidError } from './errors.ts';
import { steady, type Moments } from './moments.ts';
import { literal } from './sql.ts';

export type NumericSpec = Extract<FeatureSpec, { kind: 'numeric' }>;
type FittedNumeric = Extract<FittedFeature, { kind: 'numeric' }>;

/** A numeric feature with the SQL of its values after each step. */
export interface NumericPlan {
  name: string;
  spec: NumericSpec;
  clipped: string;
  transformed: string;
}

/** Plans a numeric feature over the column `alias` of the clean rows. */
export function numericPlan(name: string, spec: NumericSpec, alias: string): NumericPlan {
  const clipped = clippedSql(alias, spec.clip ?? {});
  return {
    name,
    spec,
    clipped,
    transformed: spec.log ? `sign(${clipped}) * ln(1 + abs(${clipped}))` : clipped,
  };
}

function clippedSql(
  sql: string,
  { min, max }: { min?: number | undefined; max?: number | undefined },
): string {
  const above = min === undefined ? sql : `greatest(${sql}, ${literal(min)})`;
  const clipped = max === undefined ? above : `least(${above}, ${literal(max)})`;
  // greatest and least pass over NULL, and would make a limit of a missing value.
  return clipped === sql ? sql : `CASE WHEN ${sql} IS NOT NULL THEN ${clipped} END`;
}

/** What the fit needs to know of the training rows. */
export interface NumericFacts {
  pipeline: string;
  /** All training rows. */
  rows: number;
  moments: ReadonlyMap<string, Moments>;
  medians: ReadonlyMap<string, number>;
}

/** The medians that features impute with, by expression; exact, so 8 bytes of memory per row. */
export async function measureMedians(
  connection: Connection,
  from: string,
  plans: readonly NumericPlan[],
): Promise<Map<string, number>> {
  const expressions = [
    ...new Set(plans.filter(({ spec }) => spec.impute === 'median').map(({ clipped }) => clipped)),
  ];
  if (expressions.length === 0) return new Map();
  const select = expressions.map((expression, i) => `quantile_cont(${expression}, 0.5) AS m${i}`);
  const row = await connection.row<Record<string, number | null>>(`SELECT ${select.join(', ')} FROM ${from}`);
  return new Map(expressions.map((expression, i) => [expression, row[`m${i}`] ?? 0]));
}

/**
 * Fits a numeric feature. Center and scale are those of all training rows, the imputed ones among them; a constant feature has scale 1, and so
 * becomes 0 instead of infinity.
 */
export function fitNumeric(plan: NumericPlan, facts: NumericFacts): FittedNumeric {
  const { name, spec } = plan;
  const impute = imputed(plan, facts);
  const { center, scale } = scaling(spec, withImputed(plan, facts, impute));
  return {
    kind: 'numeric',
    name,
    column: spec.column,
    impute,
    missingIndicator: spec.missingIndicator,
    clip: spec.clip ?? {},
    log: spec.log,
    center: steady(center),
    scale: steady(scale),
  };
}

function imputed({ name, spec, clipped }: NumericPlan, { pipeline, moments, medians }: NumericFacts): number {
  if (typeof spec.impute === 'number') return spec.impute;
  const known = moments.get(clipped);
  if (known === undefined || known.count === 0) {
    const problem = `the column '${spec.column}' has no value in the training rows to take the ${spec.impute} of`;
    throw new DataInvalidError(problem, { pipeline, field: `features.${name}` });
  }
  return steady(spec.impute === 'mean' ? known.mean : (medians.get(clipped) ?? known.mean));
}

/** The transformed column's moments once each missing value is the imputed one, which is the same for all of them. */
function withImputed(plan: NumericPlan, { rows, moments }: NumericFacts, impute: number): Moments {
  const known = moments.get(plan.transformed);
  const filler = transformedValue(plan.spec, impute);
  if (known === undefined || known.count === 0) {
    return { count: rows, min: filler, max: filler, mean: filler, deviation: 0 };
  }
  const missing = rows - known.count;
  if (missing === 0) return known;
  const mean = (known.count * known.mean + missing * filler) / rows;
  const spread =
    known.count * (known.deviation ** 2 + (known.mean - mean) ** 2) + missing * (filler - mean) ** 2;
  return {
    count: rows,
    min: Math.min(known.min, filler),
    max: Math.max(known.max, filler),
    mean,
    deviation: Math.sqrt(spread / rows),
  };
}

function transformedValue({ clip, log }: NumericSpec, value: number): number {
  const clipped = Math.min(Math.max(value, clip?.min ?? -Infinity), clip?.max ?? Infinity);
  return log ? Math.sign(clipped) * Math.log1p(Math.abs(clipped)) : clipped;
}

/** Below this share of the values' size a deviation is rounding, not spread. */
const ROUNDING = 1e-12;

/** Dividing by less would take ordinary values out of float32, which the network's inputs are. */
const SMALLEST_SCALE = 1e-30;

function scaling(
  { scale }: NumericSpec,
  { min, max, mean, deviation }: Moments,
): { center: number; scale: number } {
  const constant = Math.max(SMALLEST_SCALE, ROUNDING * Math.max(Math.abs(min), Math.abs(max)));
  switch (scale) {
    case 'none':
      return { center: 0, scale: 1 };
    case 'standard':
      return { center: mean, scale: deviation > constant ? deviation : 1 };
    case 'minMax':
      return { center: min, scale: max - min > constant ? max - min : 1 };
  }
}
