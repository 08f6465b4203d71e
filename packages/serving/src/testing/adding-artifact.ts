import { createHash } from 'node:crypto';
import type { Digest } from '@perennial/contract';
import { linearArtifact } from '@perennial/onnx/testing';

/** A real artifact that answers `x + amount` to an instance `{ x }`; a missing x counts as 0. */
export function addingArtifact(amount: number): { bytes: Uint8Array; digest: Digest } {
  const bytes = linearArtifact({ amount });
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}
