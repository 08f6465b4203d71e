import type { ColumnSummary, EncoderSpec, FittedFeature } from '@perennial/contract';
import type { Connection } from './engine.ts';
import { CROSSED_MAX_SIZE, fitCategorical, fitCrossed } from './fit-categories.ts';
import {
  fitNumeric,
  measureMedians,
  numericPlan,
  type NumericFacts,
  type NumericPlan,
} from './fit-numeric.ts';
import { measureMoments } from './moments.ts';
import { namedFeatures, type DatasetColumn, type DatasetPlan } from './plan.ts';
import { TOP_VALUES, summariseColumns } from './summarise.ts';
import { countValues, type ValueCounts } from './vocabulary.ts';

/** The training rows, as a table expression, and how many they are. */
export interface TrainingRows {
  from: string;
  rows: number;
}

export interface Fit {
  encoder: EncoderSpec;
  columns: ColumnSummary[];
}

/** Fits every feature on the training rows, and summarises their columns. Reads each column a few times in memory; brings no row to JavaScript. */
export async function fitFeatures(
  connection: Connection,
  plan: DatasetPlan,
  training: TrainingRows,
): Promise<Fit> {
  const numeric = numericPlans(plan);
  const counts = await countCategories(connection, plan, training.from);
  const numbers = plan.inputs.filter(({ type }) => type === 'number').map(({ alias }) => alias);
  const expressions = [...numbers, ...numeric.flatMap(({ clipped, transformed }) => [clipped, transformed])];
  const moments = await measureMoments(connection, training.from, expressions);
  const medians = await measureMedians(connection, training.from, numeric);
  const facts = { pipeline: plan.spec.name, rows: training.rows, moments, medians };
  const columns = [...plan.inputs, ...plan.slices];
  return {
    encoder: {
      columns: plan.inputs.map(({ name, type }) => ({ name, type })),
      features: fittedFeatures(plan, { numeric, facts, counts }),
    },
    columns: await summariseColumns(connection, { ...training, columns, moments, counts }),
  };
}

function numericPlans(plan: DatasetPlan): NumericPlan[] {
  return namedFeatures(plan.spec).flatMap(({ name, feature }) =>
    feature.kind === 'numeric' ? [numericPlan(name, feature, inputOf(plan, feature.column).alias)] : [],
  );
}

function inputOf(plan: DatasetPlan, column: string): DatasetColumn {
  const input = plan.inputs.find(({ name }) => name === column);
  if (input === undefined) throw new RangeError(`the plan reads no column '${column}'`);
  return input;
}

/** Counts, by alias, the values of text and booleans, and of numbers that are categories. */
async function countCategories(
  connection: Connection,
  plan: DatasetPlan,
  from: string,
): Promise<Map<string, ValueCounts>> {
  const limits = vocabularyLimits(plan);
  const counts = new Map<string, ValueCounts>();
  for (const { name, alias, type } of [...plan.inputs, ...plan.slices]) {
    const isCounted = type === 'text' || type === 'boolean';
    const limit = Math.max(limits.get(name) ?? 0, isCounted ? TOP_VALUES : 0);
    if (limit > 0) counts.set(alias, await countValues(connection, { from, alias, type, limit }));
  }
  return counts;
}

/** How many values of a column its features may put in their vocabularies. */
function vocabularyLimits(plan: DatasetPlan): Map<string, number> {
  const limits = new Map<string, number>();
  for (const { feature, columns } of namedFeatures(plan.spec)) {
    const size =
      feature.kind === 'categorical' ? feature.maxSize : feature.kind === 'crossed' ? CROSSED_MAX_SIZE : 0;
    for (const column of columns) limits.set(column, Math.max(limits.get(column) ?? 0, size));
  }
  return limits;
}

interface FitFacts {
  numeric: readonly NumericPlan[];
  facts: NumericFacts;
  counts: ReadonlyMap<string, ValueCounts>;
}

function fittedFeatures(plan: DatasetPlan, { numeric, facts, counts }: FitFacts): FittedFeature[] {
  const countsOf = (column: string) => counts.get(inputOf(plan, column).alias) ?? { values: [], distinct: 0 };
  return namedFeatures(plan.spec).map(({ name, feature }) => {
    switch (feature.kind) {
      case 'numeric': {
        const planned = numeric.find((candidate) => candidate.name === name);
        if (planned === undefined) throw new RangeError(`the numeric feature '${name}' was not planned`);
        return fitNumeric(planned, facts);
      }
      case 'boolean':
        return { kind: 'boolean', name, column: feature.column };
      case 'timestamp':
        return {
          kind: 'timestamp',
          name,
          column: feature.column,
          parts: feature.parts,
          cyclic: feature.cyclic,
        };
      case 'categorical':
        return fitCategorical(name, feature, countsOf);
      case 'crossed':
        return fitCrossed(name, feature, countsOf);
    }
  });
}
