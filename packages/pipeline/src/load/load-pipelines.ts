import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PipelineInvalidError } from '../errors.ts';
import { loadPipelineFile, type LoadedPipeline } from './load-pipeline-file.ts';

const IN_A_FOLDER = /^pipeline\.(ts|js|mjs)$/;
const BY_ITSELF = /.\.pipeline\.(ts|js|mjs)$/;

/**
 * Loads every pipeline of a folder: `<any>/pipeline.ts` and `<any>.pipeline.ts` (or `.js`, `.mjs`), in order of path.
 *
 * @throws PipelineInvalidError when one cannot be loaded, or two have the same name
 */
export async function loadPipelines(folder: string): Promise<LoadedPipeline[]> {
  const loaded: LoadedPipeline[] = [];
  for (const file of await findPipelineFiles(folder)) {
    const pipeline = await loadPipelineFile(file);
    const twin = loaded.find(({ spec }) => spec.name === pipeline.spec.name);
    if (twin !== undefined) throw sameName(pipeline, twin);
    loaded.push(pipeline);
  }
  return loaded;
}

/** The pipeline files of a folder, sorted, as paths that begin with it. An absent folder has none. */
export async function findPipelineFiles(folder: string): Promise<string[]> {
  const entries = await entriesOf(folder);
  const byThemselves = entries.filter((entry) => entry.isFile() && BY_ITSELF.test(entry.name));
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules');
  const inFolders = await Promise.all(
    folders.map(async ({ name }) =>
      (await entriesOf(join(folder, name)))
        .filter((entry) => entry.isFile() && IN_A_FOLDER.test(entry.name))
        .map((entry) => join(folder, name, entry.name)),
    ),
  );
  return [...byThemselves.map(({ name }) => join(folder, name)), ...inFolders.flat()].sort();
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function sameName(pipeline: LoadedPipeline, twin: LoadedPipeline): PipelineInvalidError {
  const message = `must be unique, but '${pipeline.spec.name}' is also the name of the pipeline in ${twin.file}`;
  return new PipelineInvalidError([{ path: 'name', message }], {
    pipeline: pipeline.spec.name,
    file: pipeline.file,
  });
}
