import type { ServedModel } from './served-model.ts';

/** A version that is loaded, or being loaded. */
export interface Resident {
  model: string;
  version: number;
  state: 'loading' | 'resident' | 'leaving';
  /** Estimated memory, in bytes; null while it is not known. */
  bytes: number | null;
  /** Answered since it was loaded, and being answered now. */
  requests: number;
  users: number;
  loadedAt: Date | null;
  lastUsedAt: Date | null;
}

export function describeResident(state: Resident['state']): (served: ServedModel) => Resident {
  return ({ model, champion, bytes, requests, users, loadedAt, lastUsedAt }) => ({
    model,
    version: champion.version,
    state,
    bytes,
    requests,
    users,
    loadedAt,
    lastUsedAt,
  });
}

/** A version that is being loaded; 0 where it is not known yet which. */
export function describeLoad(model: string, version: number): Resident {
  const unused = { bytes: null, requests: 0, users: 0, loadedAt: null, lastUsedAt: null };
  return { model, version, state: 'loading', ...unused };
}
