import type { SourceSpec } from '@perennial/contract';

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
