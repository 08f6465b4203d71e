import { readSignature } from '@perennial/onnx';
import { linearArtifact } from '@perennial/onnx/testing';
import {
  approveRelease,
  registerImportedVersion,
  requestRelease,
  type Caller,
  type ReleaseDesk,
} from '@perennial/registry';
import { transaction, type ArtifactStore } from '@perennial/storage';
import { PROMOTER } from './promotions.ts';

/** An artifact that answers `x + amount` to `{ x }`: whose answer it was can be told from the answer. */
export function addingArtifact(amount: number): Uint8Array {
  return linearArtifact({ amount });
}

/** Registers versions 1 to `count` of a model, version n answering `x + n`. */
export async function registerAddingVersions(
  desk: ReleaseDesk,
  artifacts: ArtifactStore,
  { model, count }: { model: string; count: number },
): Promise<void> {
  for (let amount = 1; amount <= count; amount += 1) {
    const bytes = addingArtifact(amount);
    const { digest } = await artifacts.put(bytes);
    const imported = {
      model,
      artifact: { digest, bytes: bytes.length },
      signature: readSignature(bytes),
      file: { bytes: bytes.length, digest, producer: 'test', opsets: [], operators: [], parameters: null },
      sampleRows: 1,
      description: '',
      lineage: {
        kind: 'imported' as const,
        by: PROMOTER.name,
        producer: 'test',
        note: '',
        platformVersion: '0',
      },
      origin: PROMOTER.origin,
    };
    await transaction(desk.database, (tx) => registerImportedVersion(tx, imported, desk));
  }
}

/** An approver other than who asks: releases of versions that no pipeline made wait for one. */
const APPROVER: Caller = { ...PROMOTER, name: 'token:approver' };

/** Puts a version into production, as two people do it. */
export async function promote(desk: ReleaseDesk, model: string, version: number): Promise<void> {
  const wanted = { model, version, reason: 'chaos', override: true };
  const { id, state } = await requestRelease(desk, wanted, PROMOTER);
  if (state === 'pending') await approveRelease(desk, { release: id, reason: 'chaos' }, APPROVER);
}
