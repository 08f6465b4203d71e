import { signatureSchema, type Signature } from '@perennial/contract';
import { ArtifactInvalidError } from '../errors.ts';
import { parseMetadata } from '../metadata.ts';
import { METADATA_PREFIX, checkKind, readMetadata } from '../model-file.ts';

const SIGNATURE_KEY = `${METADATA_PREFIX}signature`;

/** The metadata of an adopted model: its signature is kept, since its graph is not ours to derive one from. */
export function adoptedMetadata(signature: Signature): Record<string, string> {
  return { [SIGNATURE_KEY]: JSON.stringify(signature) };
}

/** @throws ArtifactInvalidError where the bytes are no adopted model */
export function readAdopted(bytes: Uint8Array): Signature {
  const metadata = readMetadata(bytes);
  checkKind(metadata, 'adopted');
  const signature = signatureSchema.safeParse(parseMetadata(metadata, SIGNATURE_KEY));
  if (signature.success) return signature.data;
  throw new ArtifactInvalidError('its signature is wrong', { cause: signature.error });
}
