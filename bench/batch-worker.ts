import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { joinOutputs, scoreRows } from '@perennial/data';
import { InferenceModel } from '@perennial/onnx';

/** What the driver asks of a worker, over the channel of a forked process. */
export type Task =
  | { kind: 'score'; model: string; source: string; chunks: Chunk[]; keys: string[]; folder: string }
  | { kind: 'join'; files: string[]; folder: string };

export interface Chunk {
  index: number;
  from: number;
  rows: number;
}

/** What a worker says it took. */
export interface Done {
  files: string[];
  /** Processor seconds since the task came. */
  processor: number;
  megabytes: number;
}

const never = new AbortController().signal;

async function score(task: Extract<Task, { kind: 'score' }>): Promise<string[]> {
  const { model: file, source, chunks, keys } = task;
  const model = await InferenceModel.loadCoded(await readFile(file));
  const files: string[] = [];
  for (const { index, from, rows } of chunks) {
    const folder = join(task.folder, String(index));
    await mkdir(folder, { recursive: true });
    const target = join(folder, 'scored.parquet');
    await scoreRows({
      ...{ source: { path: source, file: source }, from, rows, signature: model.signature, keys, target },
      ...{ score: (batch) => model.run(batch), properties: {}, signal: never },
    });
    files.push(target);
  }
  await model.release();
  return files;
}

async function join_(task: Extract<Task, { kind: 'join' }>): Promise<string[]> {
  const folder = join(task.folder, 'joined');
  await mkdir(folder, { recursive: true });
  const target = join(folder, 'output.parquet');
  await joinOutputs({ files: task.files, target, properties: {}, signal: never });
  return [target];
}

process.on('message', (task: Task) => {
  const before = process.cpuUsage();
  void (task.kind === 'score' ? score(task) : join_(task)).then((files) => {
    const { user, system } = process.cpuUsage(before);
    const megabytes = process.resourceUsage().maxRSS / 1_024;
    process.send?.({ files, processor: (user + system) / 1e6, megabytes } satisfies Done);
  });
});
process.send?.('ready');
