import { SourceMap, type SourceMapPayload } from 'node:module';
import { relative, resolve } from 'node:path';
import { QueryFunctionError } from '../errors.ts';
import type { QueryFunction } from '../sources.ts';
import type { Bundle } from './bundle.ts';

/** Where in the author's files something was thrown: the bundle, the file it was written to, and the pipeline's folder. */
export interface BundlePlace {
  bundle: Bundle;
  path: string;
  folder: string;
}

/** What the author's file threw, in a sentence with file and line. */
export function spokenThrown(thrown: unknown, place: BundlePlace): string {
  const where = thrownAt(thrown, place);
  return `the file threw while it was loaded${where === undefined ? '' : ` (${where})`}: ${named(thrown)}`;
}

/**
 * The author's query function with what it throws translated: `RangeError: odd (pipeline.ts:4:26)`.
 *
 * @throws QueryFunctionError from the iteration
 */
export function locatingQuery(
  query: QueryFunction,
  { place, pipeline }: { place: BundlePlace; pipeline: string },
): QueryFunction {
  return async function* (context) {
    try {
      yield* query(context);
    } catch (cause) {
      const where = thrownAt(cause, place);
      const thrown = where === undefined ? named(cause) : `${named(cause)} (${where})`;
      throw new QueryFunctionError(thrown, { pipeline, cause });
    }
  };
}

function named(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** The innermost of the author's lines in the stack, such as `features.ts:12:7`. */
function thrownAt(error: unknown, { bundle, path, folder }: BundlePlace): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const lines = (error.stack ?? '').split('\n').filter((line) => line.includes(path));
  const [, row, column] = lines[0]?.match(/:(\d+):(\d+)\)?$/) ?? [];
  if (row === undefined || column === undefined) return undefined;
  const origin = new SourceMap(JSON.parse(bundle.sourceMap) as SourceMapPayload).findEntry(
    Number(row) - 1,
    Number(column) - 1,
  );
  if (!('originalSource' in origin)) return undefined;
  return `${relative(folder, resolve(folder, origin.originalSource))}:${origin.originalLine + 1}:${origin.originalColumn + 1}`;
}
