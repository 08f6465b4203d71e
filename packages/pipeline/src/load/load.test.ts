import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipelineInvalidError } from '../errors.ts';
import { loadPipelineFile } from './load-pipeline-file.ts';
import { loadPipelines } from './load-pipelines.ts';

const PACKAGE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const definition = (name: string, more = '') => `
  import { binary, definePipeline, mlp, notWorse, numeric, parquet } from '@perennial/pipeline';
  export default definePipeline({
    name: ${JSON.stringify(name)},
    data: { source: parquet('a.parquet'), time: 'date', window: { train: '28d', validation: '2d', test: '1d' } },
    label: binary('late', { from: 'delay > 15' }),
    features: { distance: numeric() },
    train: mlp(),
    validate: { gate: notWorse({ metric: 'auc', margin: 0.005 }) },
    ${more}
  });`;

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'load-')));
  await mkdir(join(folder, 'node_modules', '@perennial'), { recursive: true });
  await symlink(PACKAGE, join(folder, 'node_modules', '@perennial', 'pipeline'), 'dir');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Record<string, string>) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

async function refusal(name: string): Promise<PipelineInvalidError> {
  const error = await loadPipelineFile(join(folder, name)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PipelineInvalidError);
  return error as PipelineInvalidError;
}

describe('loadPipelineFile', () => {
  it('loads TypeScript with its local imports and leaves nothing beside it', async () => {
    await write({
      'pipeline.ts': `import { owner } from './owners.ts';\n${definition('typed', 'owners: [owner satisfies string]')}`,
      'owners.ts': `export const owner: string = 'operations';`,
    });
    const before = await readdir(folder);
    const loaded = await loadPipelineFile(join(folder, 'pipeline.ts'));
    expect(loaded.spec).toMatchObject({ name: 'typed', owners: ['operations'] });
    expect(loaded.functions).toEqual({});
    expect(loaded).toMatchObject({ file: join(folder, 'pipeline.ts'), folder });
    expect(await readdir(folder)).toEqual(before);
  });

  it('brings the author’s training function', async () => {
    const source = definition('own').replace('train: mlp()', 'train: ({ outputs }) => outputs * 2');
    await write({ 'pipeline.mjs': source });
    const { spec, functions } = await loadPipelineFile(join(folder, 'pipeline.mjs'));
    expect(spec.train.kind).toBe('custom');
    expect(functions.train?.({ outputs: 21 } as never)).toBe(42);
  });

  it('gives each local file its own import.meta, and finds packages from the pipeline’s folder', async () => {
    await write({
      'node_modules/only-import/package.json': JSON.stringify({
        name: 'only-import',
        type: 'module',
        exports: { import: './index.js' },
      }),
      'node_modules/only-import/index.js': `export const here = import.meta.url;`,
      'deep/place.ts': `export const place = [import.meta.url, import.meta.filename, import.meta.dirname] as const;`,
      'pipeline.ts': `
        import { readFileSync } from 'node:fs';
        import { here } from 'only-import';
        import { place } from './deep/place.ts';
        const own = readFileSync(new URL('note.txt', import.meta.url), 'utf8');
        ${definition('meta', 'owners: [own, here, ...place, import.meta.dirname]')}`,
      'note.txt': 'beside',
    });
    const { spec } = await loadPipelineFile(join(folder, 'pipeline.ts'));
    const deep = join(folder, 'deep', 'place.ts');
    expect(spec.owners).toEqual([
      'beside',
      pathToFileURL(join(folder, 'node_modules', 'only-import', 'index.js')).href,
      pathToFileURL(deep).href,
      deep,
      dirname(deep),
      folder,
    ]);
  });

  it('gives the same code the same digest in another folder, and changed code another', async () => {
    await write({
      'one/pipeline.ts': `import { owner } from './parts/owners.ts';\n${definition('moved', 'owners: [owner]')}`,
      'one/parts/owners.ts': `export const owner = 'operations';`,
      'one/unrelated.ts': 'export {};',
    });
    await cp(join(folder, 'one'), join(folder, 'two', 'deeper'), { recursive: true });
    const one = await loadPipelineFile(join(folder, 'one', 'pipeline.ts'));
    const two = await loadPipelineFile(join(folder, 'two', 'deeper', 'pipeline.ts'));
    expect(two.codeDigest).toBe(one.codeDigest);
    await write({ 'one/unrelated.ts': 'export const changed = true;' });
    expect((await loadPipelineFile(one.file)).codeDigest).toBe(one.codeDigest);
    await write({ 'one/parts/owners.ts': `export const owner = 'planning';` });
    const changed = await loadPipelineFile(one.file);
    expect(changed.codeDigest).not.toBe(one.codeDigest);
    expect(changed.spec.owners).toEqual(['planning']);
  });

  it('says when the file is not there', async () => {
    const error = await refusal('pipeline.ts');
    expect(error.file).toBe(join(folder, 'pipeline.ts'));
    expect(error.message).toContain('the file does not exist');
  });

  it('says where a file does not parse', async () => {
    await write({ 'pipeline.ts': 'const a = 1;\nconst b = = 2;\n' });
    expect((await refusal('pipeline.ts')).message).toContain('pipeline.ts:2:11: Unexpected "="');
  });

  it('names an import that does not resolve', async () => {
    await write({ 'pipeline.ts': `import 'not-installed-anywhere';\n${definition('x')}` });
    const { message } = await refusal('pipeline.ts');
    expect(message).toContain('pipeline.ts:1:8');
    expect(message).toContain('not-installed-anywhere');
  });

  it('says what a file threw and where, in the author’s own lines', async () => {
    await write({
      'pipeline.ts': `import { half } from './half.ts';\nexport default half(3);`,
      'half.ts': `interface Unused { a: string }\n\nexport function half(n: number): number {\n  if (n % 2 === 1) throw new RangeError('odd: ' + n);\n  return n / 2;\n}`,
    });
    const error = await refusal('pipeline.ts');
    expect(error.message).toContain('the file threw while it was loaded (half.ts:4:26): RangeError: odd: 3');
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  it('says what a query function threw and where, in the author’s own lines', async () => {
    const source = definition('asking')
      .replace("source: parquet('a.parquet')", 'source: query(rows)')
      .replace('numeric, parquet', 'numeric, query');
    await write({
      'pipeline.ts': `import { rows } from './rows.ts';\n${source}`,
      'rows.ts': `export async function* rows(context: { from: Date }) {\n  yield { date: context.from, distance: 1, delay: 2 };\n  throw new RangeError('no more');\n}`,
    });
    const { functions } = await loadPipelineFile(join(folder, 'pipeline.ts'));
    const context = { from: new Date(0), to: new Date(1), signal: AbortSignal.timeout(60_000) };
    const yielded: unknown[] = [];
    const reading = async () => {
      for await (const row of functions.query?.(context) ?? []) yielded.push(row);
    };
    await expect(reading()).rejects.toMatchObject({
      name: 'QueryFunctionError',
      message: `The query function of pipeline 'asking' threw RangeError: no more (rows.ts:3:9).`,
    });
    expect(yielded).toEqual([{ date: new Date(0), distance: 1, delay: 2 }]);
  });

  it('says that a file threw something that is no error', async () => {
    await write({ 'pipeline.ts': `throw 'enough';` });
    expect((await refusal('pipeline.ts')).message).toContain('the file threw while it was loaded: enough');
  });

  it('asks for a default export', async () => {
    await write({ 'pipeline.ts': 'export const pipeline = 1;' });
    expect((await refusal('pipeline.ts')).message).toContain('has no default export');
  });

  it('refuses a default export that did not go through definePipeline', async () => {
    await write({ 'pipeline.ts': `export default { name: 'x' };` });
    expect((await refusal('pipeline.ts')).message).toContain('not what definePipeline returned');
  });

  it('names file, pipeline and field of an invalid definition', async () => {
    await write({ 'pipeline.ts': definition('typo', `release: { approval: 'auto' as never },`) });
    const error = await refusal('pipeline.ts');
    expect(error.details).toEqual({
      pipeline: 'typo',
      file: join(folder, 'pipeline.ts'),
      issues: [{ path: 'release.approval', message: "must be one of 'automatic', 'required'" }],
    });
  });
});

describe('loadPipelines', () => {
  it('finds pipelines in folders and by themselves, in order, and nothing else', async () => {
    await write({
      'b/pipeline.ts': definition('second'),
      'a.pipeline.mjs': definition('first'),
      'c/pipeline.js': definition('third'),
      'c/helper.ts': 'export {};',
      'd/deeper/pipeline.ts': definition('too-deep'),
      'pipelines.ts': 'export {};',
    });
    const names = (await loadPipelines(folder)).map(({ spec }) => spec.name);
    expect(names).toEqual(['first', 'second', 'third']);
  });

  it('finds none in a folder that is not there', async () => {
    expect(await loadPipelines(join(folder, 'absent'))).toEqual([]);
  });

  it('refuses two pipelines of one name', async () => {
    await write({ 'a/pipeline.ts': definition('same'), 'b/pipeline.ts': definition('same') });
    await expect(loadPipelines(folder)).rejects.toThrow(
      `name: must be unique, but 'same' is also the name of the pipeline in ${join(folder, 'a', 'pipeline.ts')}`,
    );
  });
});
