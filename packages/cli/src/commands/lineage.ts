import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import {
  digestSchema,
  idSchema,
  type FileLineage,
  type Lineage,
  type PredictionLineage,
} from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface LineageOptions extends ConnectionOptions {
  json: boolean;
}

export function registerLineage(program: Command, output: Output): void {
  const command = program
    .command('lineage')
    .description(
      'say where a prediction came from (pred_…), or which models ate a file: one on this machine, or any by its digest (sha256:…)',
    )
    .argument('<what>', 'id of a prediction, path of a file, or digest')
    .option('--json', 'print JSON', false)
    .action((what: string, options: LineageOptions) => lineage(what, options, output));
  withConnection(command);
}

async function lineage(what: string, options: LineageOptions, output: Output): Promise<void> {
  const client = connect(options);
  if (idSchema('prediction').safeParse(what).success) {
    const found = await client.getPredictionLineage({ params: { prediction: what } });
    return options.json ? writeJson(output, found) : writePrediction(found, output);
  }
  const digest = digestSchema.safeParse(what).success ? what : await digestOf(what);
  const found = await client.getFileLineage({ params: { digest } });
  return options.json ? writeJson(output, found) : writeFile(found, output);
}

/** Read in pieces: a source may be larger than the memory. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : '';
    throw new UsageError(
      `'${path}' is no prediction (pred_…), no digest (sha256:…), and no file: ${reason}`,
      {
        cause,
      },
    );
  }
  return `sha256:${hash.digest('hex')}`;
}

function writePrediction(found: PredictionLineage, output: Output): void {
  const { dataset, ancestors } = found;
  const facts: [string, string][] = [
    ['prediction', `${found.prediction} at ${found.at}`],
    ['version', `${found.model}@${found.version}`],
    ['artifact', found.artifact],
    ['in production by', found.release ?? 'no release'],
    ...originOf(found.lineage),
    ['dataset version', dataset === null ? 'not known' : `${dataset.digest}, up to ${dataset.asOf}`],
    ...ancestors.map(({ model, version }): [string, string] => ['warm-started from', `${model}@${version}`]),
  ];
  for (const [name, value] of facts) output.write(`${name.padEnd(17)} ${value}\n`);
  if (dataset !== null && dataset.files.length > 0)
    writeTable(
      output,
      ['source file', 'bytes', 'digest'],
      dataset.files.map(({ name, bytes, digest }) => [name, bytes, digest]),
    );
}

function originOf(lineage: Lineage): [string, string][] {
  switch (lineage.kind) {
    case 'run':
      return [
        ['run', `${lineage.run} of ${lineage.pipeline}`],
        ['code', lineage.codeDigest],
      ];
    case 'imported':
      return [['registered by', `${lineage.by}; it was made elsewhere`]];
  }
}

function writeFile({ digest, names, datasets, versions }: FileLineage, output: Output): void {
  output.write(`${digest}${names.length === 0 ? '' : ` (${names.join(', ')})`}\n`);
  if (datasets.length === 0) return void output.write('No dataset version was made from it.\n');
  writeTable(
    output,
    ['dataset version', 'pipeline', 'up to'],
    datasets.map((dataset) => [dataset.digest, dataset.pipeline, dataset.asOf]),
  );
  if (versions.length === 0) return void output.write('No model version was trained on it.\n');
  writeTable(
    output,
    ['version', 'how', 'aliases'],
    versions.map(({ model, version, inherited, aliases }) => [
      `${model}@${version}`,
      inherited ? 'by warm start' : 'trained on it',
      aliases.join(', '),
    ]),
  );
}
