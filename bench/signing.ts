import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { canonicalJson } from '@perennial/contract';
import { digestsOf, verifyAttestation } from '@perennial/registry/attestation';
import { sampleGateReport, sampleModelCard, sealVersion, testSigning } from '@perennial/registry/testing';
import { AttestedVersions } from '@perennial/serving';

/** What signing costs an approval, and verifying a load; the artifact's own digest is the cache's and goes with its size. */
const TIMES = process.argv.includes('--short') ? 200 : 2_000;

async function microseconds(work: () => unknown): Promise<number> {
  for (let i = 0; i < TIMES / 10; i++) await work();
  const start = performance.now();
  for (let i = 0; i < TIMES; i++) await work();
  return Math.round(((performance.now() - start) * 1_000) / TIMES);
}

const signing = testSigning();
const card = sampleModelCard();
const contents = {
  model: card.model,
  version: card.version,
  artifact: `sha256:${'a'.repeat(64)}`,
  signature: card.signature,
  card,
  gateReport: sampleGateReport(),
  dataset: null,
};
const digests = digestsOf(contents);
const envelope = sealVersion(digests, signing);
const champion = { ...digests, asOf: '2001-03-04T00:00:00.000Z', revision: 1 };

const folder = await mkdtemp(join(tmpdir(), 'perennial-signing-'));
try {
  const versions = await AttestedVersions.open({
    folder,
    load: () => Promise.resolve({ digests: digestsOf(contents), envelope }),
    trusted: signing.trusted,
  });
  const kilobytes = Math.round(Buffer.byteLength(canonicalJson(card)) / 1_024);
  const digesting = await microseconds(() => digestsOf(contents));
  console.log(`digests of signature, gate report and a card of ${kilobytes} KiB: ${digesting} µs`);
  console.log(`statement written and signed: ${await microseconds(() => sealVersion(digests, signing))} µs`);
  const verifying = await microseconds(() => verifyAttestation(envelope, digests, signing.trusted));
  console.log(`envelope verified and compared: ${verifying} µs`);
  const loading = await microseconds(() => versions.verify(champion.model, champion));
  console.log(`all that a load does but ask the database, with what it keeps on the disk: ${loading} µs`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
