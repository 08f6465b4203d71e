import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { importRequestSchema, type ImportRequest } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface RegisterOptions extends ConnectionOptions {
  name: string;
  sample: string;
  threshold?: string;
  classes?: string;
  regression: boolean;
  description: string;
  note: string;
  json: boolean;
}

export function registerRegister(program: Command, output: Output): void {
  const command = program
    .command('register')
    .description('register an ONNX file that was made elsewhere as the next version of a model')
    .argument('<file>', 'the .onnx file')
    .requiredOption('--name <model>', 'the model; one of a new name is made')
    .requiredOption('--sample <path>', 'a JSON file with rows to try it on, as a prediction takes them')
    .addOption(
      new Option(
        '--threshold <number>',
        'its answer is one probability; at or above this it is true',
      ).conflicts(['classes', 'regression']),
    )
    .addOption(
      new Option(
        '--classes <names>',
        'its answer is a probability for each of these, with commas between',
      ).conflicts('regression'),
    )
    .option('--regression', 'its answer is a number', false)
    .option('--description <text>', 'what the version is', '')
    .option('--note <text>', 'where it comes from; kept in its lineage', '')
    .option('--json', 'print JSON', false)
    .action((file: string, options: RegisterOptions) => registerFile(file, options, output));
  withConnection(command);
}

async function registerFile(file: string, options: RegisterOptions, output: Output): Promise<void> {
  const body: ImportRequest = {
    file: (await readBytes(file)).toString('base64'),
    sample: parseSample(await readBytes(options.sample), options.sample),
    description: options.description,
    note: options.note,
    ...outputOf(options),
  };
  const version = await connect(options).importVersion({ params: { model: options.name }, body });
  if (options.json) return writeJson(output, version);
  const { signature, artifact, lineage } = version;
  const producer = lineage.kind === 'imported' && lineage.producer !== '' ? ` of ${lineage.producer}` : '';
  output.write(`${version.model}@${version.version} is registered: ${artifact}${producer}\n`);
  const rows = signature.inputs.map(({ name, type }) => [name, type]);
  writeTable(output, ['takes', 'as'], rows);
  output.write(`answers ${describeOutput(signature.output)}\n`);
}

/** What the command line says of the output; nothing where the file says it. */
function outputOf({ threshold, classes, regression }: RegisterOptions): Pick<ImportRequest, 'output'> {
  if (threshold !== undefined) {
    const number = threshold.trim() === '' ? NaN : Number(threshold);
    if (!(number >= 0 && number <= 1))
      throw new UsageError(`--threshold must be a number from 0 to 1, not '${threshold}'.`);
    return { output: { kind: 'binary', threshold: number } };
  }
  if (classes !== undefined) {
    const names = classes.split(',');
    if (names.length < 2)
      throw new UsageError('--classes must name two classes at least, with commas between.');
    return { output: { kind: 'multiclass', classes: names } };
  }
  return regression ? { output: { kind: 'regression' } } : {};
}

function describeOutput(output: NonNullable<ImportRequest['output']>): string {
  switch (output.kind) {
    case 'binary':
      return `a probability, true from ${output.threshold} on`;
    case 'multiclass':
      return `a probability for each of ${output.classes.join(', ')}`;
    case 'regression':
      return 'a number';
  }
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new UsageError(`The file ${file} cannot be read: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    });
  }
}

/** Rows as a JSON array, one row alone, or as `{ "instances": […] }`, which a request of a prediction is. */
function parseSample(bytes: Buffer, file: string): ImportRequest['sample'] {
  const given = parseJson(bytes.toString('utf8'), file);
  const held = given !== null && typeof given === 'object' && 'instances' in given ? given.instances : given;
  const rows = importRequestSchema.shape.sample.safeParse(Array.isArray(held) ? held : [held]);
  if (rows.success) return rows.data;
  throw new UsageError(`The file ${file} must hold 1 to 1,000 rows: a JSON array of objects.`, {
    cause: rows.error,
  });
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new UsageError(
      `The file ${file} is not valid JSON: ${cause instanceof Error ? cause.message : ''}`,
      {
        cause,
      },
    );
  }
}
