import type { Instance, RecordSpec } from '@perennial/contract';
import type { AppendTerms } from './journal-options.ts';

/** What is put on record of an endpoint's predictions, ready to be asked for each of them. */
export interface RecordPolicy {
  /** What it was made of, to be handed to a thread. */
  readonly spec: RecordSpec;
  /** How surely; what is absent is as the journal has it. */
  readonly terms: AppendTerms;
  /** Whether a part of the predictions only is put on record. */
  readonly samples: boolean;
  /** Whether the prediction of this id is put on record: always the same answer for the same id. */
  keeps(this: void, id: string): boolean;
  /** Whether the values of a column are left out. */
  redacts(this: void, column: string): boolean;
  /** An instance without what is left out; a column that is left out is absent, since null says that the caller gave no value. */
  features(this: void, instance: Instance): Instance;
}

const UNSIGNED = 2 ** 32;

/** The policy of a specification, whose absent fields leave everything as the journal has it. */
export function compileRecordPolicy(spec: RecordSpec = {}): RecordPolicy {
  const { durability, whenFull, sample = 1, redact = [] } = spec;
  const left = new Set(redact);
  const redacts = (column: string) => left.has(column);
  const threshold = sample * UNSIGNED;
  return {
    spec,
    terms: { ...(durability && { durability }), ...(whenFull && { whenFull }) },
    samples: sample < 1,
    keeps: sample < 1 ? (id) => hashOfId(id) < threshold : () => true,
    redacts,
    features: left.size === 0 ? (instance) => instance : (instance) => without(instance, redacts),
  };
}

/** Everything is put on record, as surely as the journal does by itself. */
export const RECORD_ALL = compileRecordPolicy();

const compiled = new WeakMap<RecordSpec, RecordPolicy>();

/** The policy of how a model is served, compiled once for each specification. */
export function recordPolicyOf({ record }: { record?: RecordSpec | undefined }): RecordPolicy {
  if (record === undefined) return RECORD_ALL;
  let policy = compiled.get(record);
  if (policy === undefined) compiled.set(record, (policy = compileRecordPolicy(record)));
  return policy;
}

function without(instance: Instance, redacts: (column: string) => boolean): Instance {
  return Object.fromEntries(Object.entries(instance).filter(([column]) => !redacts(column)));
}

/**
 * 32 bits of an id in which every bit of it has a part: MurmurHash3's finalizer (Austin Appleby, public domain) over its four words. For ids that are
 * counted on from one another it goes through distinct values, so that a share of them is kept, not all or none.
 */
function hashOfId(id: string): number {
  const words = id.replaceAll('-', '');
  let hash = 0;
  for (let at = 0; at < 32; at += 8) {
    hash ^= Number.parseInt(words.slice(at, at + 8), 16);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
