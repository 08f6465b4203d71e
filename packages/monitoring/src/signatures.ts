import type { Signature } from '@perennial/contract';
import { getModel, getModelVersion, type Executor } from '@perennial/storage';

/** Reads the output of a model's newest version, once per model; versions of one model answer in one kind. */
export function signatureReader(db: Executor): (model: string) => Promise<Signature['output']> {
  const known = new Map<string, Signature['output']>();
  return async (model) => {
    const seen = known.get(model);
    if (seen) return seen;
    const { latestVersion } = await getModel(db, model);
    const { signature } = await getModelVersion(db, model, latestVersion);
    known.set(model, signature.output);
    return signature.output;
  };
}
