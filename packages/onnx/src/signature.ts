import type { Signature } from '@perennial/contract';
import { readAdopted } from './adopted/adopted-file.ts';
import { readArtifactHeader } from './artifact.ts';
import { modelKind } from './model-file.ts';

/**
 * What a file of the artifact store takes and gives: one that the platform wrote, or one that it adopted from a command.
 *
 * @throws ArtifactInvalidError where the bytes are neither
 */
export function readSignature(bytes: Uint8Array): Signature {
  return isAdopted(bytes) ? readAdopted(bytes) : readArtifactHeader(bytes).signature;
}

/** Whether a file is a model that a command left: it has no encoder of ours and no weights that a network could begin at. */
export function isAdopted(bytes: Uint8Array): boolean {
  return modelKind(bytes) === 'adopted';
}
