import { UsageError } from './errors.ts';

/**
 * How many lines `--limit` asks for.
 * @throws UsageError
 */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new UsageError(`--limit '${text}' is not a number from 1 to 500.`);
  return limit;
}
