import type { ColumnType, FeatureSpec, InputColumn, PipelineSpec } from '@perennial/contract';
import { authorError, checkAuthorSql, type CheckedSql } from './author-sql.ts';
import { borderSql, textSql } from './border.ts';
import {
  columnCondition,
  refuseTooMany,
  uniqueCondition,
  type Condition,
  type UniqueCondition,
} from './conditions.ts';
import type { Connection } from './engine.ts';
import { QueryFailedError } from './errors.ts';
import { labelPlan, type LabelPlan } from './label-plan.ts';
import { ReadColumns, type ReadColumn } from './read-columns.ts';
import { literal } from './sql.ts';
import { rowHashPlan, type RowHashPlan } from './row-hash.ts';
import type { SourceColumn } from './source-relation.ts';

/** A column of the dataset: what it is called and is, and how it comes out of the staged table. */
export interface DatasetColumn extends InputColumn {
  /** Its name in the table of clean rows. */
  alias: string;
  /** Its value in border form, over the staged table. */
  value: string;
}

/** An author's predicate with the staged column that holds its answer. */
export interface PredicatePlan {
  author: CheckedSql;
  alias: string;
}

/** Everything a build does, decided before a row is read. */
export interface DatasetPlan {
  spec: PipelineSpec;
  read: ReadColumn[];
  time: ReadColumn;
  key: ReadColumn | undefined;
  label: LabelPlan;
  predicates: PredicatePlan[];
  /** What must hold of each row; the i-th is bit i of the staged row's mask. */
  conditions: Condition[];
  /** Their bits follow. */
  uniques: UniqueCondition[];
  /** The encoder's inputs in order. */
  inputs: DatasetColumn[];
  /** Slice columns that are no inputs, as text. */
  slices: DatasetColumn[];
  rowHash: RowHashPlan;
}

/** Bits of the mask, which is a BIGINT; the last is left for classes that the training rows do not have. */
const MASK_BITS = 62;

/**
 * Plans a build over a source with these columns.
 *
 * @throws SourceInvalidError naming a column that is missing or of a wrong type
 * @throws PipelineInvalidError naming a SQL expression or pattern that is not valid
 */
export async function planDataset(
  connection: Connection,
  spec: PipelineSpec,
  source: readonly SourceColumn[],
): Promise<DatasetPlan> {
  const columns = new ReadColumns(spec.name, source);
  const time = columns.read(spec.data.time, 'data.time', ['timestamp', 'text']);
  const key = spec.data.key === undefined ? undefined : columns.read(spec.data.key, 'data.key', SCALARS);
  const inputs = inputColumns(spec, columns);
  const slices = sliceColumns(spec, columns, inputs);
  const label = await plannedLabel(connection, spec, { columns, source });
  const rules = await plannedExpectations(connection, spec, { columns, source });
  const conditions = [
    { reason: `${time.name} is a time`, sql: 'instant IS NOT NULL' },
    ...label.conditions,
    ...inputs
      .filter((input) => input.type === 'timestamp')
      .flatMap((input) => timeTextConditions(input, columns)),
    ...rules.conditions,
  ];
  refuseTooMany(spec.name, conditions.length + rules.uniques.length, MASK_BITS - 1);
  const rowHash = rowHashPlan({ source, time, key });
  return { ...rules, spec, read: columns.all, time, key, label, conditions, inputs, slices, rowHash };
}

const SCALARS: readonly ColumnType[] = ['number', 'boolean', 'text', 'timestamp'];
const CATEGORIES: readonly ColumnType[] = ['text', 'number', 'boolean'];

/** What each kind of feature can read; as the encoder has it. Text may hold times. */
const READABLE: Readonly<Record<FeatureSpec['kind'], readonly ColumnType[]>> = {
  numeric: ['number', 'boolean'],
  boolean: ['boolean', 'number'],
  categorical: CATEGORIES,
  crossed: CATEGORIES,
  timestamp: ['timestamp', 'text'],
};

/** A feature with its name and columns. Features are taken in order of name: that of the author's object does not survive storage. */
interface NamedFeature {
  name: string;
  feature: FeatureSpec;
  columns: string[];
}

export function namedFeatures(spec: PipelineSpec): NamedFeature[] {
  return Object.entries(spec.features)
    .map(([name, feature]) => ({
      name,
      feature,
      columns: feature.kind === 'crossed' ? feature.columns : [feature.column],
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The columns that features read, each once, in order of first use. */
function inputColumns(spec: PipelineSpec, columns: ReadColumns): DatasetColumn[] {
  const kinds = new Map<string, ColumnType>();
  const features = namedFeatures(spec);
  for (const { name, feature, columns: names } of features) {
    for (const column of names) {
      const { kind } = columns.read(column, `features.${name}`, READABLE[feature.kind]);
      // Text that only timestamp features read is read as times; a category among its readers keeps it text, and they refuse that.
      const read =
        feature.kind === 'timestamp' && kind === 'text' ? (kinds.get(column) ?? 'timestamp') : kind;
      if (read !== undefined) kinds.set(column, read);
    }
  }
  refuseTimesOfText(features, kinds, columns);
  return [...kinds].map(([name, type], index) => {
    const value = borderSql(columns.read(name, 'features'), type);
    return { name, type, alias: `f${index}`, value };
  });
}

function refuseTimesOfText(
  features: NamedFeature[],
  kinds: Map<string, ColumnType>,
  columns: ReadColumns,
): void {
  for (const { name, feature } of features) {
    if (feature.kind === 'timestamp' && kinds.get(feature.column) === 'text') {
      columns.read(feature.column, `features.${name}`, ['timestamp']);
    }
  }
}

function timeTextConditions({ name, value }: DatasetColumn, columns: ReadColumns): Condition[] {
  const { sql, kind } = columns.read(name, 'features');
  return kind === 'text'
    ? [{ reason: `${name} is a time`, sql: `nullif(${sql}, '') IS NULL OR ${value} IS NOT NULL` }]
    : [];
}

function sliceColumns(
  spec: PipelineSpec,
  columns: ReadColumns,
  inputs: readonly DatasetColumn[],
): DatasetColumn[] {
  return spec.validate.slices.columns
    .map((name, index) => ({
      name,
      read: columns.read(name, `validate.slices.columns[${index}]`, CATEGORIES),
    }))
    .filter(({ name }) => !inputs.some((input) => input.name === name))
    .map(({ name, read }, index) => ({
      name,
      type: 'text',
      alias: `s${index}`,
      value: textSql(read, read.kind ?? 'text'),
    }));
}

interface PlanColumns {
  columns: ReadColumns;
  source: readonly SourceColumn[];
}

async function plannedLabel(
  connection: Connection,
  spec: PipelineSpec,
  { columns, source }: PlanColumns,
): Promise<LabelPlan> {
  const author = { pipeline: spec.name, field: 'label.from', sql: spec.label.from };
  const checked = await checkAuthorSql(connection, author, source);
  columns.readNamed(checked.names);
  return labelPlan(spec.label, checked);
}

interface PlannedExpectations {
  conditions: Condition[];
  uniques: UniqueCondition[];
  predicates: PredicatePlan[];
}

async function plannedExpectations(
  connection: Connection,
  spec: PipelineSpec,
  { columns, source }: PlanColumns,
): Promise<PlannedExpectations> {
  const planned: PlannedExpectations = { conditions: [], uniques: [], predicates: [] };
  for (const [index, expectation] of spec.data.expectations.entries()) {
    const author = { pipeline: spec.name, field: `data.expectations[${index}]` };
    switch (expectation.kind) {
      case 'rowCount':
        break;
      case 'unique':
        planned.uniques.push(uniqueCondition(expectation, columns, author));
        break;
      case 'predicate': {
        const place = { ...author, field: `${author.field}.sql`, sql: expectation.sql };
        const checked = await checkAuthorSql(connection, place, source);
        if (checked.type !== 'BOOLEAN')
          throw authorError(place, `must be true or false, but is of the type ${checked.type}`);
        columns.readNamed(checked.names);
        const alias = `p${planned.predicates.length}`;
        planned.predicates.push({ author: checked, alias });
        planned.conditions.push({ reason: expectation.name, sql: alias });
        break;
      }
      case 'matches':
        await checkPattern(connection, {
          ...author,
          field: `${author.field}.pattern`,
          sql: expectation.pattern,
        });
        planned.conditions.push(columnCondition(expectation, columns, author));
        break;
      case 'notNull':
      case 'between':
      case 'oneOf':
        planned.conditions.push(columnCondition(expectation, columns, author));
        break;
    }
  }
  return planned;
}

async function checkPattern(
  connection: Connection,
  author: Parameters<typeof authorError>[0],
): Promise<void> {
  try {
    await connection.run(`SELECT regexp_full_match('', ${literal(author.sql)})`);
  } catch (error) {
    if (error instanceof QueryFailedError)
      throw authorError(author, `is not a regular expression: ${error.reason}`, error);
    throw error;
  }
}
