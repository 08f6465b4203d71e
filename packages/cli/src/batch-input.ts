import { batchInputSchema, type BatchInput } from '@perennial/contract';
import { UsageError } from './errors.ts';

type Format = Extract<BatchInput, { format: unknown }>['format'];

const SPLIT = /^(sha256:[0-9a-f]{64})\/(\w+)$/;

const ENDINGS: Record<string, Format> = { parquet: 'parquet', csv: 'csv', ndjson: 'ndjson', jsonl: 'ndjson' };

/** The format that a path's ending says, also of a compressed file; undefined where it says none. */
export function formatOf(where: string): Format | undefined {
  const ending = /\.(\w+)(\.gz|\.zst)?$/.exec(where)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
}

/**
 * What a batch reads: `flights/2001-*.parquet`, `s3:flights/2001`, `sha256:…/test`.
 * @throws UsageError
 */
export function batchInput(where: string, format: Format | undefined): BatchInput {
  const split = SPLIT.exec(where);
  const given =
    split !== null
      ? { kind: 'dataset', dataset: split[1], split: split[2] }
      : where.startsWith('s3:')
        ? { kind: 'objectStore', prefix: where.slice('s3:'.length), format }
        : { kind: 'files', path: where, format };
  const parsed = batchInputSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  if (split === null && format === undefined)
    throw new UsageError(`'${where}' does not say which format it is: pass --format.`);
  throw new UsageError(
    `'${where}' is not a path, s3:<prefix> or <dataset version>/<train, validation or test>.`,
  );
}
