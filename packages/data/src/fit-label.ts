import type { DataCard, FittedLabel, LabelSpec, SplitName } from '@perennial/contract';
import { CLEAN, splitRows } from './clean.ts';
import type { Connection } from './engine.ts';
import { DataInvalidError } from './errors.ts';
import { classCondition } from './label-plan.ts';
import { measureMoments, steady } from './moments.ts';
import type { DatasetPlan } from './plan.ts';
import { STAGED, bitLiteral } from './staging.ts';
import type { WindowBounds } from './window.ts';

export type LabelSummaries = DataCard['labels'];
type LabelSummary = LabelSummaries[SplitName];

/** Above this many, what is called a class is hardly one; a network would have an output for each. */
const MAX_CLASSES = 1_000;

/** The classes of a multiclass label, and the reason for rows of a class that is none. */
export interface LabelClasses {
  classes: string[];
  /** Stands on the mask's bit after those of the plan's conditions; undefined where no row needed it. */
  unseen: string | undefined;
}

/**
 * Settles the classes of a multiclass label: the author's, or those of the training rows in order. Rows of validation and test of a class that the
 * training rows do not have can be neither learnt nor scored, and go to quarantine.
 */
export async function settleClasses(
  connection: Connection,
  plan: DatasetPlan,
  bounds: WindowBounds,
): Promise<LabelClasses | undefined> {
  const { spec } = plan.label;
  if (spec.kind !== 'multiclass') return undefined;
  const classes = spec.classes ?? (await trainingClasses(connection, plan, bounds));
  const bit = plan.conditions.length + plan.uniques.length;
  if (classes.length === 0) return { classes: [], unseen: undefined };
  const { reason, sql } = classCondition(spec.name, classes);
  const { n } = await connection.row<{ n: bigint }>(
    `SELECT count(*) AS n FROM ${STAGED} WHERE mask = 0 AND NOT (${sql})`,
  );
  if (n === 0n) return { classes, unseen: undefined };
  await connection.run(`UPDATE ${STAGED} SET mask = ${bitLiteral(bit)} WHERE mask = 0 AND NOT (${sql})`);
  return { classes, unseen: `${reason} (of the training rows)` };
}

async function trainingClasses(
  connection: Connection,
  plan: DatasetPlan,
  bounds: WindowBounds,
): Promise<string[]> {
  const rows = await connection.rows<{ label: string }>(
    `SELECT DISTINCT label FROM ${STAGED} WHERE mask = 0 AND instant < ${bounds.validation.getTime()} ORDER BY label
     LIMIT ${MAX_CLASSES + 1}`,
  );
  if (rows.length > MAX_CLASSES) {
    throw new DataInvalidError(`it gives more than ${MAX_CLASSES} classes`, {
      pipeline: plan.spec.name,
      field: 'label.from',
    });
  }
  if (rows.length === 0) return [];
  if (rows.length === 1) throw oneValue(plan, `'${rows[0]?.label ?? ''}'`);
  return rows.map(({ label }) => label);
}

/**
 * Fits the label on the training rows, and summarises it over each split.
 *
 * @throws DataInvalidError when the training rows have but one value: nothing can be learnt from them
 */
export async function fitLabel(
  connection: Connection,
  plan: DatasetPlan,
  { bounds, classes }: { bounds: WindowBounds; classes: readonly string[] },
): Promise<{ label: FittedLabel; summaries: LabelSummaries }> {
  const { spec } = plan.label;
  if (spec.kind === 'regression') return fitRegression(connection, plan, { bounds, name: spec.name });
  const summaries = await countClasses(connection, bounds, spec.kind === 'binary' ? BINARY : { classes });
  const seen = Object.entries(summaries.train.classes ?? {}).filter(([, rows]) => rows > 0);
  if (seen.length < 2) throw oneValue(plan, `'${seen[0]?.[0] ?? ''}'`);
  return { label: fittedClasses(spec, classes), summaries };
}

function fittedClasses(
  spec: Exclude<LabelSpec, { kind: 'regression' }>,
  classes: readonly string[],
): FittedLabel {
  return spec.kind === 'binary'
    ? { kind: 'binary', name: spec.name, threshold: spec.threshold }
    : { kind: 'multiclass', name: spec.name, classes: [...classes] };
}

async function fitRegression(
  connection: Connection,
  plan: DatasetPlan,
  { bounds, name }: { bounds: WindowBounds; name: string },
): Promise<{ label: FittedLabel; summaries: LabelSummaries }> {
  const [train, validation, test] = [
    await regressionSummary(connection, bounds, 'train'),
    await regressionSummary(connection, bounds, 'validation'),
    await regressionSummary(connection, bounds, 'test'),
  ];
  if (!train.standardDeviation) throw oneValue(plan, String(train.mean));
  return {
    label: { kind: 'regression', name, center: train.mean, scale: train.standardDeviation },
    summaries: { train, validation, test },
  };
}

async function regressionSummary(connection: Connection, bounds: WindowBounds, split: SplitName) {
  const moments = (await measureMoments(connection, splitRows(bounds, split), ['label'])).get('label');
  return {
    mean: steady(moments?.mean ?? 0),
    standardDeviation: steady(moments?.deviation ?? 0),
    classes: null,
  };
}

/** Classes that are counted; of two, `positive` is the one whose share is the label's mean. */
interface CountedClasses {
  classes: readonly string[];
  positive?: string;
}

const BINARY: CountedClasses = { classes: ['false', 'true'], positive: 'true' };

async function countClasses(
  connection: Connection,
  bounds: WindowBounds,
  counted: CountedClasses,
): Promise<LabelSummaries> {
  const rows = await connection.rows<{ split: SplitName; label: string | number; n: bigint }>(
    `SELECT CASE WHEN instant < ${bounds.validation.getTime()} THEN 'train'
                 WHEN instant < ${bounds.test.getTime()} THEN 'validation' ELSE 'test' END AS split,
       label, count(*) AS n FROM ${CLEAN} GROUP BY ALL`,
  );
  const of = (split: SplitName) => {
    const counts = new Map(
      rows.filter((row) => row.split === split).map(({ label, n }) => [className(label), Number(n)]),
    );
    return classSummary(counted, counts);
  };
  return { train: of('train'), validation: of('validation'), test: of('test') };
}

/** A binary label is 0 or 1 in the dataset. */
function className(label: string | number): string {
  return typeof label === 'number' ? String(label === 1) : label;
}

function classSummary(
  { classes, positive }: CountedClasses,
  counts: ReadonlyMap<string, number>,
): LabelSummary {
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  return {
    mean: positive !== undefined && total > 0 ? (counts.get(positive) ?? 0) / total : null,
    standardDeviation: null,
    classes: Object.fromEntries(classes.map((name) => [name, counts.get(name) ?? 0])),
  };
}

function oneValue(plan: DatasetPlan, value: string): DataInvalidError {
  const problem = `every training row has the label ${value}; a model needs at least two to tell apart`;
  return new DataInvalidError(problem, { pipeline: plan.spec.name, field: 'label.from' });
}
