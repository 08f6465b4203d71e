import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { PerennialError, nameSchema, type ReleaseStatement } from '@perennial/contract';
import { verifyFiles } from '@perennial/server';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { BadOutcomeError, UsageError } from '../errors.ts';
import { writeJson, type Output } from '../output.ts';

interface VerifyOptions extends ConnectionOptions {
  key?: string;
  file?: string;
  artifact?: string;
  json: boolean;
}

/** How a verification came out. */
interface Verified {
  valid: boolean;
  problem: string | null;
  statement: ReleaseStatement | null;
}

export function registerAttestation(program: Command, output: Output): void {
  const command = program
    .command('verify')
    .description('say whether a version is what was approved and signed; the exit status is 1 when it is not')
    .argument('[version]', 'such as flight-delay@12; not needed with --file')
    .option('--key <file>', "verify here, with this public key in PEM, instead of by the platform's word")
    .option('--file <file>', 'the attestation, as JSON: ask no platform (needs --key)')
    .option('--artifact <file>', 'also compare this model.onnx with the one that was signed (needs --key)')
    .option('--json', 'print JSON', false)
    .action((version: string | undefined, options: VerifyOptions) => verify(version, options, output));
  withConnection(command);
}

async function verify(text: string | undefined, options: VerifyOptions, output: Output): Promise<void> {
  const version = text === undefined ? undefined : parseVersion(text);
  if (options.key === undefined && (options.file ?? options.artifact) !== undefined)
    throw new UsageError('--file and --artifact need --key: without a key nothing can be verified here.');
  const verified = await verifyVersion(version, options);
  if (options.json) writeJson(output, verified);
  else output.write(describe(verified));
  if (!verified.valid) throw new BadOutcomeError();
}

type Version = { model: string; version: number };

async function verifyVersion(version: Version | undefined, options: VerifyOptions): Promise<Verified> {
  const { key, file, artifact } = options;
  if (file === undefined && version === undefined)
    throw new UsageError('Name a version, such as flight-delay@12, or give its attestation with --file.');
  if (key === undefined) return askPlatform(version as Version, options);
  const found =
    file === undefined ? await fetchEnvelope(version as Version, options) : await readEnvelope(file);
  const given = {
    envelope: found,
    publicKey: (await readGiven(key)).toString('utf8'),
    ...(version && { version }),
    ...(artifact !== undefined && { artifact: await readGiven(artifact) }),
  };
  return outcomeOf(() => verifyFiles(given));
}

async function askPlatform(version: Version, options: VerifyOptions): Promise<Verified> {
  const { valid, problem, statement } = await connect(options).getAttestation({ params: version });
  return { valid, problem, statement };
}

async function fetchEnvelope(version: Version, options: VerifyOptions): Promise<unknown> {
  return (await connect(options).getAttestation({ params: version })).envelope;
}

/** The envelope alone, or the whole answer of the platform, as `--json` of an HTTP client keeps it. */
async function readEnvelope(path: string): Promise<unknown> {
  const text = (await readGiven(path)).toString('utf8');
  try {
    const found = JSON.parse(text) as unknown;
    const whole = typeof found === 'object' && found !== null && 'envelope' in found;
    return whole ? found.envelope : found;
  } catch (cause) {
    throw new UsageError(`${path} holds no JSON.`, { cause });
  }
}

async function readGiven(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new UsageError(`${path} cannot be read.`, { cause });
  }
}

function outcomeOf(work: () => ReleaseStatement): Verified {
  try {
    return { valid: true, problem: null, statement: work() };
  } catch (error) {
    if (!(error instanceof PerennialError) || error.code !== 'signature-invalid') throw error;
    return { valid: false, problem: error.message, statement: null };
  }
}

function describe({ valid, problem, statement }: Verified): string {
  if (!valid || statement === null) return `Not valid. ${problem ?? ''}\n`;
  const { model, version, approvedBy, approvedAt, release } = statement.predicate;
  const lines = [
    `${model}@${version} is what was approved by ${approvedBy.join(', ')} at ${approvedAt} (${release}).`,
    ...statement.subject.map(({ name, digest }) => `  ${name.padEnd(18)} sha256:${digest.sha256}`),
  ];
  return `${lines.join('\n')}\n`;
}

function parseVersion(text: string): Version {
  const [model = '', version = '', ...rest] = text.split('@');
  if (!nameSchema.safeParse(model).success || !/^[1-9]\d{0,9}$/.test(version) || rest.length > 0)
    throw new UsageError(`'${text}' is not a version of a model, such as flight-delay@12.`);
  return { model, version: Number(version) };
}
