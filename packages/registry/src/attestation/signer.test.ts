import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IdGenerator, ManualClock, formatId, type Envelope } from '@perennial/contract';
import {
  getVersionContents,
  insertModelVersion,
  listSigningKeys,
  takeVersionNumber,
  transaction,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { AttestationInvalidError, SigningKeyMissingError } from '../errors.ts';
import { makeCandidate, seed } from '../testing/candidate.ts';
import { testSigning } from '../testing/signed-version.ts';
import { digestsOf } from './release-statement.ts';
import { Signer } from './signer.ts';
import { verifyAttestation } from './verify-attestation.ts';

const clock = new ManualClock('2001-02-03T04:05:06Z');
const ids = new IdGenerator(clock);
const signing = testSigning();
let server: TestDatabase;

beforeAll(async () => {
  server = await createTestDatabase();
  await seed(server.database);
});
afterAll(() => server.drop());

/** A version that no release has been asked for. */
async function register(): Promise<{ model: string; version: number }> {
  const { database } = server;
  const candidate = await makeCandidate({ database, ids, verdict: 'pass', against: null });
  const { model, runId, dataset, signature, lineage, gate, asOf } = candidate;
  const createdAt = clock.now();
  const version = await transaction(database, async (tx) => {
    const number = await takeVersionNumber(tx, model, createdAt);
    await insertModelVersion(tx, {
      model,
      version: number,
      runId,
      artifactDigest: candidate.artifact.digest,
      artifactBytes: candidate.artifact.bytes,
      datasetDigest: dataset,
      signature,
      lineage,
      gate,
      card: candidate.card({ version: number, createdAt, history: [] }),
      asOf,
      createdAt,
    });
    return number;
  });
  return { model, version };
}

interface Approval {
  signer?: Signer;
  by?: string[];
}

function approve(
  of: { model: string; version: number },
  { signer = signing.signer, by = ['ada'] }: Approval = {},
) {
  const release = formatId('release', ids.next());
  const approved = { ...of, release, approvedBy: by, at: clock.now(), origin: '203.0.113.7 req_1' };
  return transaction(server.database, (tx) => signer.attest(tx, approved));
}

async function contentsOf({ model, version }: { model: string; version: number }) {
  return getVersionContents(server.database.orm, model, version);
}

/** Writes where the database lets nobody write, as its owner could. */
async function tamper(statement: string, values: (string | number)[]): Promise<void> {
  await server.database.orm.transaction(async (tx) => {
    await tx.execute('set local session_replication_role = replica');
    await tx.execute(bind(statement, values));
  });
}

function bind(statement: string, values: (string | number)[]): string {
  const quoted = values.map((value) =>
    typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`,
  );
  return statement.replace(/\$(\d)/g, (_, place: string) => quoted[Number(place) - 1] ?? 'null');
}

describe('an approved version', () => {
  test('is signed: its statement names the digests of all that it is, and who approved it', async () => {
    const version = await register();
    await approve(version, { by: ['ada', 'grace'] });
    const { envelope, ...contents } = await contentsOf(version);
    const statement = verifyAttestation(envelope, digestsOf(contents), signing.trusted);
    expect(statement.subject.map(({ name }) => name)).toEqual([
      'model.onnx',
      'signature.json',
      'card.json',
      'gate-report.json',
    ]);
    expect(statement.subject[0]?.digest.sha256).toBe(contents.artifact.slice('sha256:'.length));
    expect(statement.predicate).toMatchObject({
      ...version,
      approvedBy: ['ada', 'grace'],
      approvedAt: clock.now().toISOString(),
      dataset: contents.dataset,
    });
  });

  test('keeps its first attestation when it is approved again', async () => {
    const version = await register();
    await approve(version);
    const { envelope } = await contentsOf(version);
    clock.advance(60_000);
    await approve(version, { by: ['grace'] });
    expect((await contentsOf(version)).envelope).toEqual(envelope);
  });

  test('is on the audit with the key that signed it, and so is the key, once', async () => {
    const version = await register();
    await approve(version);
    await approve(await register());
    const { sql } = server.database;
    const signed = await sql<{ details: unknown; origin: string; by: string }[]>`
      select details, origin, by from audit_entries
      where action = 'version.signed' and subject = ${`version:${version.model}@${version.version}`}`;
    expect(signed).toMatchObject([
      { details: { key: signing.key.id }, origin: '203.0.113.7 req_1', by: 'ada' },
    ]);
    const added = await sql`
      select 1 from audit_entries
      where action = 'signing-key.added' and subject = ${`signing-key:${signing.key.id}`}`;
    expect(added).toHaveLength(1);
    const keys = await listSigningKeys(server.database.orm);
    expect(keys.filter(({ id }) => id === signing.key.id)).toMatchObject([
      { publicKey: signing.key.publicKey.pem },
    ]);
  });

  test('is signed once, however many approve at the same moment', async () => {
    const version = await register();
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => approve(version)));
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    const { envelope, ...contents } = await contentsOf(version);
    expect(() => verifyAttestation(envelope, digestsOf(contents), signing.trusted)).not.toThrow();
  });

  test('is not signed where the approval is taken back', async () => {
    const version = await register();
    const failing = transaction(server.database, async (tx) => {
      await signing.signer.attest(tx, {
        ...version,
        release: 'rel_x',
        approvedBy: ['ada'],
        at: clock.now(),
        origin: 'test',
      });
      throw new Error('taken back');
    });
    await expect(failing).rejects.toThrow('taken back');
    expect((await contentsOf(version)).envelope).toBeNull();
  });
});

describe('a version cannot be approved', () => {
  test('by a process without a key', async () => {
    const version = await register();
    const signer = new Signer({ key: null, trusted: signing.trusted });
    await expect(approve(version, { signer })).rejects.toThrow(SigningKeyMissingError);
  });

  test('when it was signed with a key that is not trusted here: it would not be served', async () => {
    const version = await register();
    await approve(version, { signer: testSigning().signer });
    await expect(approve(version)).rejects.toThrow('not trusted here');
  });

  test('when it is not what was signed', async () => {
    const version = await register();
    await approve(version);
    await tamper(
      `update model_versions set card = jsonb_set(card, '{overview,description}', '"better"') where model = $1 and version = $2`,
      [version.model, version.version],
    );
    await expect(approve(version)).rejects.toThrow('its card is not the one that was approved and signed');
  });
});

describe('what is on record', () => {
  const CHANGES: [string, string, string][] = [
    ['artifact', 'artifact', `artifact_digest = 'sha256:' || repeat('7', 64)`],
    ['signature', 'signature', `signature = jsonb_set(signature, '{output,threshold}', '0.4')`],
    ['card', 'card', `card = jsonb_set(card, '{overview,description}', '"x"')`],
    ['gate report', 'gate report', `gate = jsonb_set(gate, '{verdict}', '"fail"')`],
    ['lack of a gate report', 'gate report', 'gate = null'],
    ['lack of a dataset version', 'dataset version', 'dataset_digest = null'],
  ];

  test.each(CHANGES)('does not hold with another %s', async (_, what, change) => {
    const version = await register();
    await approve(version);
    await tamper(`update model_versions set ${change} where model = $1 and version = $2`, [
      version.model,
      version.version,
    ]);
    const { envelope, ...contents } = await contentsOf(version);
    expect(() => verifyAttestation(envelope, digestsOf(contents), signing.trusted)).toThrow(
      `its ${what} is not the one that was approved and signed`,
    );
  });

  test('does not hold with the attestation of another version', async () => {
    const [approved, other] = [await register(), await register()];
    await approve(approved);
    const { envelope } = await contentsOf(approved);
    const { envelope: none, ...contents } = await contentsOf(other);
    expect(() => verifyAttestation(none, digestsOf(contents), signing.trusted)).toThrow(
      'nobody has approved',
    );
    expect(() => verifyAttestation(envelope, digestsOf(contents), signing.trusted)).toThrow(
      AttestationInvalidError,
    );
  });

  test('is not changed by a plain statement', async () => {
    const version = await register();
    await approve(version);
    const { envelope } = await contentsOf(version);
    const { sql } = server.database;
    await expect(sql`update attestations set signed_at = now()`).rejects.toThrow();
    await expect(sql`delete from attestations`).rejects.toThrow();
    expect((await contentsOf(version)).envelope as Envelope).toEqual(envelope);
  });
});
