import type { DatasetVersion, Digest, ReproductionDifference } from '@perennial/contract';
import type { BuiltDataset } from '@perennial/data';
import { modelParts } from '@perennial/onnx';
import { spokenValue, structuralDifferences } from './structural-differences.ts';

/** What is told at most of a dataset, and of an artifact. */
const MAX_DIFFERENCES = 50;

/**
 * Where a dataset that was built again differs from the one on record: the manifest's splits, encoder and label by path, and the source's files, which are
 * most often why. Files that differ and leave the dataset the same (rows were added after its window) are no difference.
 */
export function datasetDifferences(
  recorded: Pick<DatasetVersion, 'digest' | 'manifest' | 'card'>,
  found: BuiltDataset,
): ReproductionDifference[] {
  if (recorded.digest === found.digest) return [];
  return atMost([
    { what: 'dataset', recorded: recorded.digest, found: found.digest },
    ...structuralDifferences(recorded.card.files, found.card.files, 'source.files'),
    ...structuralDifferences(recorded.manifest, found.manifest, 'dataset'),
  ]);
}

/** An artifact's address, and its bytes where they are still kept. */
export interface ComparedArtifact {
  digest: Digest;
  bytes: Uint8Array | null;
}

/** Where an artifact that was trained again differs from the one on record: weights and metadata by name. */
export function artifactDifferences(
  recorded: ComparedArtifact,
  found: ComparedArtifact,
): ReproductionDifference[] {
  if (recorded.digest === found.digest) return [];
  const whole = { what: 'artifact', recorded: recorded.digest, found: found.digest };
  if (recorded.bytes === null || found.bytes === null) return [whole];
  const [before, after] = [modelParts(recorded.bytes), modelParts(found.bytes)];
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const parts = names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => ({
      what: `artifact.${name}`,
      recorded: spokenValue(before.get(name)),
      found: spokenValue(after.get(name)),
    }));
  return atMost([whole, ...parts]);
}

function atMost(differences: ReproductionDifference[]): ReproductionDifference[] {
  const left = differences.length - MAX_DIFFERENCES;
  if (left <= 0) return differences;
  const more = { what: 'more', recorded: `${left} more differences`, found: 'not listed' };
  return [...differences.slice(0, MAX_DIFFERENCES), more];
}
