import {
  pipelineSpecSchema,
  type Expectation,
  type FeatureSpec,
  type Issue,
  type PipelineSpec,
  type SourceSpec,
} from '@perennial/contract';
import { repeated } from './repeated.ts';
import { spokenIssues } from './spec-issues.ts';
import { validateIssues } from './validate-issues.ts';

/** A checked specification, or what is wrong with it. */
export type CheckedSpec = { spec: PipelineSpec; issues: [] } | { spec: undefined; issues: Issue[] };

/** Columns of the dataset's own files: a source column of such a name would be overwritten. DuckDB's names know no case. */
const RESERVED_COLUMNS = ['__label', '__time', '__key', '__row', '__reason'];

/** The encoder's tensor of all numeric columns; a feature of that name would clash with it. */
const RESERVED_FEATURES = ['dense'];

/** Checks a normal form: every field by itself, then the fields against each other. */
export function checkSpec(value: unknown): CheckedSpec {
  const parsed = pipelineSpecSchema.safeParse(value);
  if (!parsed.success) return { spec: undefined, issues: spokenIssues(parsed.error, value) };
  const spec = parsed.data;
  const issues = [
    ...scheduleIssues(spec),
    ...sourceIssues(spec.data.source),
    ...spec.data.expectations.flatMap((expectation, index) =>
      expectationIssues(expectation, `data.expectations[${index}]`),
    ),
    ...featuresIssues(spec),
    ...validateIssues(spec),
    ...columnIssues(spec),
    ...classIssues(spec),
    ...servingIssues(spec),
  ];
  return issues.length > 0 ? { spec: undefined, issues } : { spec, issues: [] };
}

/** What is kept of entities is kept by their key. */
function servingIssues({ data, serving }: PipelineSpec): Issue[] {
  if (data.key !== undefined) return [];
  const message = 'needs the key of an entity: name its column in data.key';
  return [
    ...(serving.modes.includes('offline')
      ? [{ path: 'serving.modes', message: `'offline' ${message}` }]
      : []),
    ...(serving.cache?.features === undefined ? [] : [{ path: 'serving.cache.features', message }]),
  ];
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Of what the schema lets through. Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function sourceIssues(source: SourceSpec): Issue[] {
  if (source.kind === 'objectStore' && !BUCKET.test(source.bucket)) {
    const message = `must be the name of a bucket: 3 to 63 lower-case letters, digits, hyphens and dots, but is '${source.bucket}'`;
    return [{ path: 'data.source.bucket', message }];
  }
  if (source.kind === 'postgres' && source.query.trim() === '') {
    return [{ path: 'data.source.query', message: 'must be a query such as `select * from trips`' }];
  }
  return [];
}

function scheduleIssues({ schedule }: PipelineSpec): Issue[] {
  if (schedule === undefined) return [];
  const issues: Issue[] = [];
  const fields = schedule.cron.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) {
    issues.push({
      path: 'schedule.cron',
      message: `must have 5 or 6 fields, such as '0 3 * * *', but has ${fields}`,
    });
  }
  if (!isTimeZone(schedule.timezone)) {
    issues.push({
      path: 'schedule.timezone',
      message: 'must be an IANA time zone such as America/Chicago or UTC',
    });
  }
  return issues;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function expectationIssues(expectation: Expectation, path: string): Issue[] {
  if (expectation.kind === 'unique') return repeated(expectation.columns, `${path}.columns`);
  if (expectation.kind !== 'between' && expectation.kind !== 'rowCount') return [];
  return rangeIssues(expectation, path);
}

function rangeIssues(
  { min, max }: { min?: number | undefined; max?: number | undefined },
  path: string,
): Issue[] {
  if (min === undefined && max === undefined) return [{ path, message: 'must have a min, a max or both' }];
  if (min !== undefined && max !== undefined && min > max) {
    return [{ path, message: `must have a min of at most its max, but ${min} is above ${max}` }];
  }
  return [];
}

function featuresIssues({ features, label }: PipelineSpec): Issue[] {
  const entries = Object.entries(features);
  if (entries.length === 0) return [{ path: 'features', message: 'must name at least one feature' }];
  return entries.flatMap(([name, feature]) => {
    const path = `features.${name}`;
    const issues = featureIssues(feature, path);
    if (name === label.name)
      issues.push({ path, message: 'has the name of the label; one of the two needs another' });
    if (RESERVED_FEATURES.includes(name))
      issues.push({ path, message: `needs another name: '${name}' is reserved` });
    return issues;
  });
}

function featureIssues(feature: FeatureSpec, path: string): Issue[] {
  switch (feature.kind) {
    case 'numeric':
      return feature.clip === undefined ? [] : rangeIssues(feature.clip, `${path}.clip`);
    case 'timestamp':
      return repeated(feature.parts, `${path}.parts`);
    case 'crossed':
      return repeated(feature.columns, `${path}.columns`);
    case 'boolean':
    case 'categorical':
      return [];
  }
}

function columnIssues({ features, validate }: PipelineSpec): Issue[] {
  const named = [
    ...Object.entries(features).map(([name, feature]) => ({
      path: `features.${name}`,
      columns: columnsOf(feature),
    })),
    { path: 'validate.slices.columns', columns: validate.slices.columns },
  ];
  return named.flatMap(({ path, columns }) =>
    columns
      .filter((column) => RESERVED_COLUMNS.includes(column.toLowerCase()))
      .map((column) => ({ path, message: `cannot read the column '${column}': the name is reserved` })),
  );
}

function columnsOf(feature: FeatureSpec): string[] {
  return feature.kind === 'crossed' ? feature.columns : [feature.column];
}

function classIssues({ label }: PipelineSpec): Issue[] {
  return label.kind === 'multiclass' ? repeated(label.classes ?? [], 'label.classes') : [];
}
