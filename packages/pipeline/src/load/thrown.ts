import { SourceMap, type SourceMapPayload } from 'node:module';
import { relative, resolve } from 'node:path';
import type { Bundle } from './bundle.ts';

/** Where in the author's files something was thrown: the bundle, the file it was written to, and the pipeline's folder. */
export interface BundlePlace {
  bundle: Bundle;
  path: string;
  folder: string;
}

/** What the author's code threw, in a sentence with file and line. */
export function spokenThrown(thrown: unknown, place: BundlePlace): string {
  const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  const where = thrown instanceof Error ? thrownAt(thrown, place) : undefined;
  return `the file threw while it was loaded${where === undefined ? '' : ` (${where})`}: ${what}`;
}

/** The innermost of the author's lines in the stack, such as `features.ts:12:7`. */
function thrownAt(error: Error, { bundle, path, folder }: BundlePlace): string | undefined {
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
