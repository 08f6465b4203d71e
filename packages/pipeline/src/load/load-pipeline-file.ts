import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Digest, PipelineSpec } from '@perennial/contract';
import type { BuildFailure, Message } from 'esbuild';
import { checkSpec } from '../check-spec.ts';
import { isPipelineDefinition } from '../define-pipeline.ts';
import type { PipelineFunctions } from '../definition.ts';
import { PipelineInvalidError } from '../errors.ts';
import { bundlePipeline, type Bundle } from './bundle.ts';
import { codeDigest } from './code-digest.ts';
import { locatingQuery, spokenThrown, type BundlePlace } from './thrown.ts';

/** A pipeline as it came out of its file. */
export interface LoadedPipeline {
  /** Absolute path of the pipeline file. */
  file: string;
  /** Its folder: what the source's paths are relative to. */
  folder: string;
  spec: PipelineSpec;
  functions: PipelineFunctions;
  /** Address of the file and all local files it imports; the same on every machine. */
  codeDigest: Digest;
}

/**
 * Loads a pipeline file, TypeScript or JavaScript. Nothing is written beside it. Its code runs in this process.
 *
 * @throws PipelineInvalidError when it is missing, does not parse, throws, or does not export a pipeline by default
 */
export async function loadPipelineFile(path: string): Promise<LoadedPipeline> {
  const file = await existing(path);
  const folder = dirname(file);
  const bundle = await bundled(file);
  const { exported, path: bundlePath } = await evaluated(bundle, file);
  const { spec, functions } = definitionOf(exported, file);
  const place = { bundle, path: bundlePath, folder };
  return {
    file,
    folder,
    spec,
    functions: locating(functions, { place, pipeline: spec.name }),
    codeDigest: await codeDigest(folder, bundle.inputs),
  };
}

/** What the training function throws is told by the training process. */
function locating(
  functions: PipelineFunctions,
  origin: { place: BundlePlace; pipeline: string },
): PipelineFunctions {
  return functions.query === undefined
    ? functions
    : { ...functions, query: locatingQuery(functions.query, origin) };
}

async function existing(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw refused(path, 'the file does not exist', cause);
  }
}

async function bundled(file: string): Promise<Bundle> {
  try {
    return await bundlePipeline(file);
  } catch (cause) {
    if (!isBuildFailure(cause)) throw cause;
    throw refused(file, cause.errors.map(spokenMessage).join('; '), cause);
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function spokenMessage({ text, location }: Message): string {
  return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

/** Runs the bundle from a file of its own, since a module can be imported from nowhere else with usable stack lines. */
async function evaluated(bundle: Bundle, file: string): Promise<{ exported: unknown; path: string }> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'perennial-pipeline-')));
  const path = join(folder, 'pipeline.mjs');
  try {
    await writeFile(path, bundle.code);
    const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    return { exported: module['default'], path };
  } catch (thrown) {
    throw translated(thrown, { bundle, path, file });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function translated(
  thrown: unknown,
  { bundle, path, file }: { bundle: Bundle; path: string; file: string },
): Error {
  // `definePipeline` has already said what is wrong, and only lacks the file. By code, as its class may be another copy's.
  if (isInvalidPipeline(thrown)) {
    return new PipelineInvalidError(thrown.issues, { pipeline: thrown.pipeline, file, cause: thrown });
  }
  return refused(file, spokenThrown(thrown, { bundle, path, folder: dirname(file) }), thrown);
}

function isInvalidPipeline(thrown: unknown): thrown is PipelineInvalidError {
  return (
    thrown instanceof Error && 'code' in thrown && thrown.code === 'pipeline-invalid' && 'issues' in thrown
  );
}

function definitionOf(exported: unknown, file: string): { spec: PipelineSpec; functions: PipelineFunctions } {
  if (exported === undefined) {
    throw refused(file, 'the file has no default export; end it with `export default definePipeline({ … })`');
  }
  if (!isPipelineDefinition(exported)) {
    throw refused(
      file,
      'the default export is not what definePipeline returned; pass the object through definePipeline',
    );
  }
  const { spec, issues } = checkSpec(exported.spec);
  if (spec === undefined) throw new PipelineInvalidError(issues, { pipeline: exported.spec.name, file });
  return { spec, functions: exported.functions };
}

function refused(file: string, message: string, cause?: unknown): PipelineInvalidError {
  return new PipelineInvalidError([{ path: '', message }], { file, cause });
}
