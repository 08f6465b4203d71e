import { mkdir, mkdtemp, readFile, rm, writeFile, chmod } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeArtifact, readSignature } from '@perennial/onnx';
import { sampleModelCard, sealVersion, testSigning } from '@perennial/registry/testing';
import {
  FileArtifactStore,
  digestOf,
  digestOfJson,
  migrate,
  openDatabase,
  startEmbeddedPostgres,
  type Database,
} from '@perennial/storage';
import { startPlatform, type RunningPlatform } from './serving/platform.ts';
import { median, milliseconds, verdict } from './serving/rounds.ts';

/**
 * Many models in one process: 10,000 registered, 1,000 in memory, and how long the first answer of one takes that is not. Each is a network [32, 16] on 20 numbers with
 * weights of its own. Models, versions, champions and signatures are written into the database in bulk, as 10,000 approvals would have left them; the server is the real one, in a process of its own,
 * and verifies each version as always.
 *
 *     node bench/dist/models.js [--short]
 */
const SHORT = process.argv.includes('--short');
const REGISTERED = SHORT ? 1_000 : 10_000;
const RESIDENT = SHORT ? 100 : 1_000;
const COLD = SHORT ? 100 : 1_000;
const COLUMNS = Array.from({ length: 20 }, (_, at) => `x${at}`);
const HIDDEN = [32, 16];
/** By the platform's own estimate: what is measured below is what the process took. */
const MODEL_BYTES = 204_000;
const nameOf = (model: number) => `model-${String(model).padStart(5, '0')}`;

/** A generator of weights from a seed (Numerical Recipes' linear congruential one): equal files on every run. */
function weightsOf(seed: number): (length: number) => Float32Array {
  let state = seed;
  return (length) =>
    Float32Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32 - 0.5;
    });
}

function network(seed: number): Uint8Array {
  const weights = weightsOf(seed);
  const widths = [COLUMNS.length, ...HIDDEN, 1];
  const layers = widths.slice(1).map((width, at) => ({
    name: `dense_${at}`,
    inputs: [at === 0 ? 'dense' : `dense_${at - 1}`],
    kind: 'dense' as const,
    kernel: {
      shape: [widths[at] as number, width],
      data: weights((widths[at] as number) * width),
    },
    bias: { shape: [width], data: weights(width) },
    activation: at === HIDDEN.length ? ('linear' as const) : ('relu' as const),
  }));
  const numeric = { impute: 0, missingIndicator: false, clip: {}, log: false, center: 0, scale: 1 };
  return writeArtifact({
    encoder: {
      columns: COLUMNS.map((name) => ({ name, type: 'number' as const })),
      features: COLUMNS.map((name) => ({ kind: 'numeric' as const, name, column: name, ...numeric })),
    },
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: COLUMNS.length }],
      layers,
      output: `dense_${HIDDEN.length}`,
    },
    label: { kind: 'regression', name: 'y', center: 0, scale: 1 },
    properties: {},
  });
}

/** Everything that stands in the database about a version which was approved and is champion. */
async function writeModels(
  { sql }: Database,
  artifacts: FileArtifactStore,
  signing: ReturnType<typeof testSigning>,
): Promise<void> {
  const card = JSON.stringify(sampleModelCard());
  const { id: keyId, pem } = signing.key.publicKey;
  await sql`insert into signing_keys (id, public_key, created_at) values (${keyId}, ${pem}, now()) on conflict do nothing`;
  for (let model = 0; model < REGISTERED; model++) {
    const name = nameOf(model);
    const bytes = network(model + 1);
    const signature = readSignature(bytes);
    await artifacts.put(bytes);
    const digests = {
      model: name,
      version: 1,
      artifact: digestOf(bytes),
      signature: digestOfJson(signature),
      card: digestOfJson(JSON.parse(card)),
      gateReport: null,
      dataset: null,
    };
    const envelope = JSON.stringify(sealVersion(digests, signing));
    await sql`
      with model as (insert into models (name, created_at, latest_version) values (${name}, now(), 1)),
      version as (
        insert into model_versions (model, version, artifact_digest, artifact_bytes, signature, lineage, card, as_of, created_at)
        values (${name}, 1, ${digests.artifact}, ${bytes.length}, ${JSON.stringify(signature)}::text::jsonb, '{}', ${card}::text::jsonb, now(), now())),
      alias as (insert into aliases (model, alias, version, revision, updated_at) values (${name}, 'champion', 1, 1, now()))
      insert into attestations (model, version, envelope, key_id, signed_at)
      values (${name}, 1, ${envelope}::text::jsonb, ${keyId}, now())`;
  }
  await sql`analyze`;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const BODY = JSON.stringify({ instances: [Object.fromEntries(COLUMNS.map((name) => [name, 0.5]))] });

/** Milliseconds from the request to the whole answer. */
function ask({ url, headers }: RunningPlatform, model: number): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v1/models/${nameOf(model)}/predict`,
      { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(BODY) } },
      (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 200) resolve(performance.now() - started);
          else reject(new Error(`${nameOf(model)}: ${response.statusCode}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(BODY);
  });
}

async function askAll(platform: RunningPlatform, from: number, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let model = from; model < from + count; model++) times.push(await ask(platform, model));
  return times.sort((a, b) => a - b);
}

const p99 = (sorted: readonly number[]) => sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN;

/** Resident set of a process, in bytes; the second field of statm, in pages of 4 KiB. */
async function residentSet({ pid }: RunningPlatform): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8');
  return Number(statm.split(' ')[1]) * 4_096;
}

interface Residency {
  residents: number;
  residentBytes: number;
  evictions: number;
}

function report(what: string, times: readonly number[]): void {
  console.log(
    `${what}: median ${milliseconds(median(times))}, p99 ${milliseconds(p99(times))} of ${times.length}`,
  );
}

async function measure(start: (memory: string) => Promise<RunningPlatform>): Promise<void> {
  // A server that holds one model and knows all of them: what it takes is not the models' memory.
  const bare = await start('1MiB');
  await askAll(bare, REGISTERED - 200, 200);
  const before = await residentSet(bare);
  await bare.stop();
  const platform = await start(String(RESIDENT * MODEL_BYTES));
  await askAll(platform, 0, RESIDENT);
  const loaded = (await platform.ask('GET', '/v1/serving/residents?limit=1')) as Residency;
  const grown = (await residentSet(platform)) - before;
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  console.log(
    `${loaded.residents} of ${REGISTERED} in memory: ${megabytes(grown)} MB more than a server without them, ${megabytes(loaded.residentBytes)} MB by its own estimate`,
  );
  report('warm answers', await askAll(platform, 1, Math.min(RESIDENT - 2, 200)));
  const cold = await askAll(platform, RESIDENT + 100, COLD);
  report('cold first answers, each loading a model and letting one go', cold);
  const after = (await platform.ask('GET', '/v1/serving/residents?limit=1')) as Residency;
  const churned = (await residentSet(platform)) - before;
  console.log(
    `after ${after.evictions} evictions: ${after.residents} in memory, ${megabytes(churned)} MB more`,
  );
  await platform.stop();
  verdict(`models in memory`, after.residents, { atLeast: RESIDENT * 0.95 });
  verdict(`MB that ${RESIDENT} models take`, Math.max(grown, churned) / 1e6, { atMost: SHORT ? 80 : 400 });
  verdict('ms until a cold first answer (p99)', p99(cold), { atMost: 15 });
}

const folder = await mkdtemp(join(tmpdir(), 'perennial-models-'));
await chmod(folder, 0o711);
const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres') });
try {
  const database = await openDatabase({ connection: postgres.connection });
  await migrate(database);
  const signing = testSigning();
  await mkdir(join(folder, 'home'), { recursive: true });
  await writeFile(join(folder, 'signing.pem'), signing.pem, { mode: 0o600 });
  const artifacts = await FileArtifactStore.open({ folder: join(folder, 'home', 'artifacts') });
  await writeModels(database, artifacts, signing);
  await database.close();
  await measure((memory) =>
    startPlatform({
      folder,
      variables: {
        DATABASE_URL: postgres.url,
        PERENNIAL_SIGNING_KEY: join(folder, 'signing.pem'),
        PERENNIAL_MODELS_MEMORY: memory,
      },
    }),
  );
} finally {
  agent.destroy();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
