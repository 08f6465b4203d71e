import type { Lineage, ModelCard, Signature } from '@perennial/contract';
import type { Executor } from '../repositories/executor.ts';
import { insertModelVersion } from '../repositories/model-versions.ts';
import { takeVersionNumber } from '../repositories/models.ts';

/** Registers a version that was made elsewhere, with nothing in it but its place; for tests of what stands beside a version. */
export async function registerBareVersion(
  tx: Executor,
  { model, at, lineage }: { model: string; at: Date; lineage?: Partial<Lineage> },
): Promise<number> {
  const version = await takeVersionNumber(tx, model, at);
  await insertModelVersion(tx, {
    model,
    version,
    runId: null,
    artifactDigest: `sha256:${version.toString(16).padStart(64, '0')}`,
    artifactBytes: 1,
    datasetDigest: null,
    signature: {} as Signature,
    lineage: {
      kind: 'imported',
      by: 'token:maker',
      producer: '',
      note: '',
      platformVersion: '0.0.0',
      ...lineage,
    } as Lineage,
    gate: null,
    card: {} as ModelCard,
    asOf: at,
    createdAt: at,
  });
  return version;
}
