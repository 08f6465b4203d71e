import { parseId, type IdKind, type RouteName, type ROUTES } from '@perennial/contract';
import { ownerOf, type Database, type OwnedKind } from '@perennial/storage';
import type { z } from 'zod';

/** The path parameters of routes whose scope is `resource`. */
export type ResourceParameter = {
  [Name in RouteName]: (typeof ROUTES)[Name] extends {
    scope: 'resource';
    params: infer Params extends z.ZodType;
  }
    ? keyof z.output<Params> & string
    : never;
}[RouteName];

interface Resource {
  kind: OwnedKind;
  /** Of ids; a digest is its own key. */
  id: IdKind | null;
}

/** What each of those parameters names; a new one that is not here does not compile. */
const RESOURCES: Record<ResourceParameter, Resource> = {
  run: { kind: 'run', id: 'run' },
  release: { kind: 'release', id: 'release' },
  prediction: { kind: 'prediction', id: 'prediction' },
  batch: { kind: 'batch', id: 'batch' },
  backfill: { kind: 'backfill', id: 'backfill' },
  alert: { kind: 'alert', id: 'alert' },
  reproduction: { kind: 'reproduction', id: 'reproduction' },
  dataset: { kind: 'dataset', id: null },
  asyncPrediction: { kind: 'async-prediction', id: 'asyncPrediction' },
};

export interface ResourceOwnersParts {
  database: Database;
  /** Ships every prediction acknowledged so far to the database: whoever has an answer may look it up at once. */
  flushPredictions: () => Promise<void>;
}

/** Tells which model, or pipeline of its name, the thing in a path belongs to. */
export class ResourceOwners {
  readonly #parts: ResourceOwnersParts;

  constructor(parts: ResourceOwnersParts) {
    this.#parts = parts;
  }

  /** By one query; null when there is no such thing. */
  async ownerOf(params: Readonly<Record<string, unknown>>): Promise<string | null> {
    for (const [name, { kind, id }] of Object.entries(RESOURCES)) {
      const value = params[name];
      if (typeof value !== 'string') continue;
      if (kind === 'prediction') await this.#parts.flushPredictions();
      return ownerOf(this.#parts.database.orm, kind, id === null ? value : parseId(id, value));
    }
    return null;
  }
}
