import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IdGenerator, attestationSchema, type Attestation, type Verdict } from '@perennial/contract';
import { readSignature, writeArtifact } from '@perennial/onnx';
import { registerCandidate } from '@perennial/registry';
import { makeCandidate, seed, testSigning, type TestSigning } from '@perennial/registry/testing';
import { FileArtifactStore, transaction } from '@perennial/storage';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let folder: string;
let signing: TestSigning;
let test: TestPlatform;
let ids: IdGenerator;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-attestation-'));
  signing = testSigning();
  const key = join(folder, 'key.pem');
  await writeFile(key, signing.pem);
  const variables = { PERENNIAL_HOME: join(folder, 'home'), PERENNIAL_SIGNING_KEY: key };
  test = await startTestPlatform({ variables });
  ids = new IdGenerator(test.clock);
  await seed(test.database);
});
afterEach(async () => {
  await test.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Answers `age + amount`. */
function model(amount: number): Uint8Array {
  const column = { name: 'age', column: 'age', kind: 'numeric', impute: 0, missingIndicator: false } as const;
  return writeArtifact({
    encoder: {
      columns: [{ name: 'age', type: 'number' }],
      features: [{ ...column, clip: {}, log: false, center: 0, scale: 1 }],
    },
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: 1 }],
      layers: [
        {
          name: 'sum',
          inputs: ['dense'],
          kind: 'dense',
          kernel: { shape: [1, 1], data: new Float32Array([1]) },
          bias: { shape: [1], data: new Float32Array([amount]) },
          activation: 'linear',
        },
      ],
      output: 'sum',
    },
    label: { kind: 'regression', name: 'sum', center: 0, scale: 1 },
    properties: {},
  });
}

/** Registers the next version of `churn`; one that its gate lets pass is released at once, and signed. */
async function register(verdict: Verdict, against: number | null): Promise<number> {
  const { database, clock } = test;
  const store = await FileArtifactStore.open({ folder: join(folder, 'home', 'artifacts') });
  const bytes = model((against ?? 0) + 1);
  const artifact = await store.put(bytes);
  const candidate = await makeCandidate({ database, ids, verdict, against });
  const real = { ...candidate, artifact, signature: readSignature(bytes) };
  const context = { clock, ids, signer: signing.signer };
  return (await transaction(database, (tx) => registerCandidate(tx, real, context))).version;
}

/** Writes where the database lets nobody write, as whoever owns it could. */
async function tamper(statement: string): Promise<void> {
  await test.database.orm.transaction(async (tx) => {
    await tx.execute('set local session_replication_role = replica');
    await tx.execute(statement);
  });
}

async function predict(): Promise<{ status: number; body: unknown }> {
  const response = await test.request('/v1/models/churn/predict', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: [{ age: 10 }] }),
  });
  return { status: response.status, body: await response.json() };
}

async function attestation(version: number): Promise<Attestation> {
  return attestationSchema.parse(
    await (await test.request(`/v1/models/churn/versions/${version}/attestation`)).json(),
  );
}

type Ready = { ready: boolean; refused?: { model: string; version: number; problem: string }[] };
const readiness = async () => (await (await test.request('/readyz')).json()) as Ready;

/** Asks until something is refused; the champion is loaded in the background when it moves. */
async function untilRefused(): Promise<Ready> {
  for (;;) {
    const report = await readiness();
    if (report.refused !== undefined) return report;
  }
}

describe('a version that was approved', () => {
  it('is served, and its attestation holds', async () => {
    const version = await register('no-baseline', null);
    expect(await predict()).toMatchObject({
      status: 200,
      body: { version, predictions: [{ output: { value: 11 } }] },
    });
    const { valid, problem, statement } = await attestation(version);
    expect({ valid, problem }).toEqual({ valid: true, problem: null });
    expect(statement.predicate).toMatchObject({ model: 'churn', version, approvedBy: ['policy:automatic'] });
    expect(await readiness()).not.toHaveProperty('refused');
  });

  it('is not served any more once its record is tampered with, and its attestation says why', async () => {
    const version = await register('no-baseline', null);
    await tamper(`update model_versions set card = jsonb_set(card, '{overview,description}', '"harmless"')`);
    const { valid, problem } = await attestation(version);
    expect(valid).toBe(false);
    expect(problem).toContain('its card is not the one that was approved and signed');
    const { status, body } = await predict();
    expect(status).toBe(500);
    expect(body).toMatchObject({ title: 'signature-invalid' });
    expect((await untilRefused()).refused).toMatchObject([{ model: 'churn', version }]);
  });

  it('is not believed of a key that somebody added to the database', async () => {
    const version = await register('no-baseline', null);
    const mallory = testSigning();
    const { envelope } = await attestation(version);
    const forged = {
      ...envelope,
      signatures: [{ keyid: mallory.key.id, sig: Buffer.alloc(64).toString('base64') }],
    };
    const { id, pem } = mallory.key.publicKey;
    await tamper(`insert into signing_keys values ('${id}', '${pem}', now())`);
    await tamper(`update attestations set envelope = '${JSON.stringify(forged)}'`);
    expect((await attestation(version)).problem).toContain('a key that is not trusted here');
    expect((await predict()).status).toBe(500);
  });
});

describe('a version that nobody approved', () => {
  it('has no attestation', async () => {
    await register('no-baseline', null);
    const version = await register('fail', 1);
    const response = await test.request(`/v1/models/churn/versions/${version}/attestation`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ title: 'attestation-not-found' });
  });

  it('is not served by whoever points the champion to it in the database: the champion before goes on', async () => {
    const approved = await register('no-baseline', null);
    expect((await predict()).status).toBe(200);
    const version = await register('fail', 1);
    await tamper(`update aliases set version = ${version}, revision = revision + 1`);
    await test.database.orm.execute(`select pg_notify('models_changed', 'churn')`);

    const { ready, refused } = await untilRefused();
    expect(ready).toBe(true);
    expect(refused).toMatchObject([
      { model: 'churn', version, problem: expect.stringContaining('nobody has approved') as string },
    ]);
    expect(await predict()).toMatchObject({ status: 200, body: { version: approved } });
    const metrics = await (await test.request('/metrics')).text();
    expect(metrics).toMatch(/^perennial_attestation_refusals_total [1-9]/m);
  });
});
