import type { Expectation, SourceSpec } from '@perennial/contract';

/** What an expectation asks for, in words. */
export function describeExpectation(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'notNull':
      return `${expectation.column} is not null`;
    case 'between':
      return `${expectation.column} is ${describeRange(expectation)}`;
    case 'oneOf':
      return `${expectation.column} is one of ${expectation.values.join(', ')}`;
    case 'matches':
      return `${expectation.column} matches ${expectation.pattern}`;
    case 'unique':
      return `${expectation.columns.join(', ')} together name a row`;
    case 'rowCount':
      return `the number of rows is ${describeRange(expectation)}`;
    case 'predicate':
      return `${expectation.name}: ${expectation.sql}`;
  }
}

function describeRange({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  if (min !== undefined && max !== undefined) return `between ${min} and ${max}`;
  if (min !== undefined) return `at least ${min}`;
  return max === undefined ? 'any' : `at most ${max}`;
}

/** Where the rows come from, in words. */
export function describeSource(source: SourceSpec): string {
  switch (source.kind) {
    case 'parquet':
    case 'csv':
    case 'json':
      return `${source.kind} files ${source.paths.join(', ')}`;
    case 'postgres':
      return `a query on the PostgreSQL connection ${source.connection}: ${source.query}`;
    case 'objectStore':
      return `${source.format} files in the bucket ${source.bucket} under ${source.prefix}`;
    case 'stream':
      return `the stream ${source.stream}`;
    case 'predictionLog':
      return `the predictions of ${source.model} with their ground truth`;
    case 'query':
      return "a function of the pipeline's own";
  }
}
