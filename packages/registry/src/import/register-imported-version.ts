import type { Clock, IdGenerator, ImportedCard, ImportedLineage, Signature } from '@perennial/contract';
import {
  describeVersion,
  findVersionOfArtifact,
  getModelVersion,
  insertModelVersion,
  listRecentVersions,
  publishEvent,
  recordChange,
  returnVersionNumber,
  takeVersionNumber,
  type Executor,
} from '@perennial/storage';

/** A file that was made elsewhere, when it has been tried. */
export interface ImportedVersion {
  model: string;
  /** What is stored and served. */
  artifact: { digest: string; bytes: number };
  signature: Signature;
  /** The file as it was given. */
  file: ImportedCard['file'];
  /** Rows that it was tried on. */
  sampleRows: number;
  description: string;
  lineage: ImportedLineage;
  /** Where the request came from. */
  origin: string;
}

/** Versions that a card looks back on. */
const HISTORY = 20;

/**
 * Registers a file that was made elsewhere as the model's next version, with its card, in the caller's transaction; a model of a new name is made. It asks for no release. A model that has
 * a version of the same bytes keeps that one: what is tried again is not registered twice, and a version that was rolled back does not come back under another number.
 *
 * @returns the number of the version
 */
export async function registerImportedVersion(
  tx: Executor,
  imported: ImportedVersion,
  { clock, ids }: { clock: Clock; ids: IdGenerator },
): Promise<number> {
  const createdAt = clock.now();
  const { model, artifact } = imported;
  // Taking the number locks the model's row, so that of two requests with the same file the second sees the first's version.
  const version = await takeVersionNumber(tx, model, createdAt);
  const known = await findVersionOfArtifact(tx, model, artifact.digest);
  if (known !== undefined) {
    await returnVersionNumber(tx, model);
    return known;
  }
  await insertVersion(tx, imported, { version, createdAt });
  record(tx, imported, { version, createdAt });
  const { card: _, ...data } = await getModelVersion(tx, model, version);
  await publishEvent(tx, { type: 'model-version.registered', model, data, at: createdAt, ids });
  return version;
}

function record(tx: Executor, imported: ImportedVersion, { version, createdAt }: Numbered): void {
  const { model, artifact, file, lineage, origin } = imported;
  const about = {
    at: createdAt,
    by: lineage.by,
    reason: lineage.note === '' ? null : lineage.note,
    origin,
  };
  if (version === 1)
    recordChange(tx, { ...about, action: 'model.created', subject: `model:${model}`, details: {} });
  recordChange(tx, {
    ...about,
    action: 'version.registered',
    subject: `version:${model}@${version}`,
    details: { artifact: artifact.digest, file: file.digest, producer: file.producer },
  });
}

interface Numbered {
  version: number;
  createdAt: Date;
}

async function insertVersion(
  tx: Executor,
  imported: ImportedVersion,
  { version, createdAt }: Numbered,
): Promise<void> {
  const { model, artifact, signature, lineage, description } = imported;
  const history = await listRecentVersions(tx, model, HISTORY);
  const card: ImportedCard = {
    kind: 'imported',
    format: 2,
    model,
    version,
    createdAt: createdAt.toISOString(),
    // What nobody has said is not made up.
    overview: { description, owners: [], intendedUse: '', limitations: [] },
    signature,
    file: imported.file,
    sampleRows: imported.sampleRows,
    lineage,
    history,
  };
  await insertModelVersion(tx, {
    model,
    version,
    runId: null,
    artifactDigest: artifact.digest,
    artifactBytes: artifact.bytes,
    datasetDigest: null,
    signature,
    lineage,
    gate: null,
    card,
    // Of its data nothing is known: as old as its registration is the best that can be said.
    asOf: createdAt,
    createdAt,
  });
  if (description !== '') await describeVersion(tx, { model, version }, description);
}
