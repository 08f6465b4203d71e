import { PerennialError, type Digest, type Issue } from '@perennial/contract';

/** Instances that do not fit the served version's signature; every problem with where it is and what is allowed there. */
export class InvalidInstanceError extends PerennialError {
  readonly code = 'invalid-instance';

  /**
   * @param issues - the problems found, in order of the instances
   * @param truncated - whether there may be more than those listed
   */
  constructor(
    readonly issues: readonly Issue[],
    readonly truncated: boolean,
  ) {
    const [first] = issues;
    const others = issues.length - 1;
    const more = others > 0 ? ` (and ${others}${truncated ? ' or more' : ''} other problems)` : '';
    super(`${first === undefined ? 'The instances are invalid' : `${first.path} ${first.message}`}${more}.`);
  }

  override get details() {
    return { issues: this.issues, truncated: this.truncated };
  }
}

/** The model exists, but no version of it has been put into production yet, or none is any more. */
export class NoChampionError extends PerennialError {
  readonly code = 'no-champion';

  constructor(readonly model: string) {
    super(`The model '${model}' has no champion: no version of it is in production.`);
  }

  override get details() {
    return { model: this.model };
  }
}

/** A queue has reached its limit; the request was not taken and may be repeated. */
export class OverloadedError extends PerennialError {
  readonly code = 'overloaded';

  constructor(
    /** What is waited for: `journal` or the model's name. */
    readonly queue: string,
    readonly limit: number,
    readonly unit: 'bytes' | 'rows' | 'milliseconds' | 'requests',
  ) {
    super(`Too much is waiting for ${queue} (limit ${limit} ${unit}). Try again shortly.`);
  }

  override get transient() {
    return true;
  }

  override get details() {
    return { queue: this.queue, limit: this.limit, unit: this.unit };
  }
}

/** The model could not be loaded in the time that a request may wait for it; the request was not taken and may be repeated. */
export class ColdStartLateError extends PerennialError {
  readonly code = 'overloaded';

  constructor(
    readonly model: string,
    readonly milliseconds: number,
  ) {
    super(
      `The model '${model}' is not loaded, and could not be within ${milliseconds} ms: too much else is being loaded or in use. Try again shortly.`,
    );
  }

  override get transient() {
    return true;
  }

  override get details() {
    return { model: this.model, milliseconds: this.milliseconds };
  }
}

/** A version that was asked for by its number, and that nobody has approved. */
export class VersionNotApprovedError extends PerennialError {
  readonly code = 'version-not-approved';

  constructor(
    readonly model: string,
    readonly version: number,
  ) {
    super(`Version ${version} of '${model}' is not served: it was never approved.`);
  }

  override get details() {
    return { model: this.model, version: this.version };
  }
}

/** There is no room to put a prediction on record, so it was not given. */
export class JournalFullError extends PerennialError {
  readonly code = 'storage-full';

  constructor(options?: { cause?: unknown }) {
    super(
      'The prediction journal is full: the prediction could not be put on record and was not given.',
      options,
    );
  }

  override get transient() {
    return true;
  }
}

/** The journal's disk failed while writing; the records waiting for it were not acknowledged. */
export class JournalWriteError extends PerennialError {
  readonly code = 'unavailable';

  constructor(options?: { cause?: unknown }) {
    super('The prediction journal could not be written: the prediction was not given.', options);
  }

  override get transient() {
    return true;
  }
}

/** The journal was asked to write after it was closed: the server is shutting down. */
export class JournalClosedError extends PerennialError {
  readonly code = 'unavailable';

  constructor() {
    super('The prediction journal is closed: the server is shutting down.');
  }

  override get transient() {
    return true;
  }
}

/** One record is larger than a frame of the journal can hold. */
export class RecordTooLargeError extends PerennialError {
  readonly code = 'too-large';

  constructor(
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(`A prediction of ${bytes} bytes cannot be put on record; the limit is ${limit} bytes.`);
  }

  override get details() {
    return { bytes: this.bytes, limit: this.limit };
  }
}

/** A segment of the journal ends before what was acknowledged: someone else cut it while it was in use. */
export class JournalTruncatedError extends PerennialError {
  readonly code = 'internal';

  constructor(
    readonly segment: number,
    readonly offset: number,
  ) {
    super(
      `Segment ${segment} of the prediction journal ends at byte ${offset}, before what was written to it.`,
    );
  }

  override get details() {
    return { segment: this.segment, offset: this.offset };
  }
}

/** Another live process writes this journal; two writers in one folder would overwrite each other's records. */
export class JournalLockedError extends PerennialError {
  readonly code = 'unavailable';

  constructor(
    readonly folder: string,
    /** What is known of the owner, for the person who looks for it. */
    readonly owner: string,
  ) {
    super(`The prediction journal in '${folder}' is in use by ${owner}.`);
  }

  override get details() {
    return { folder: this.folder, owner: this.owner };
  }
}

/** A model answered with something that cannot be given out: a NaN, an infinity, or another shape than its signature says. */
export class UnusableOutputError extends PerennialError {
  readonly code = 'internal';

  constructor(
    readonly field: string,
    readonly row: number,
  ) {
    super(`The model answered row ${row} with a ${field} that is not a finite number.`);
  }

  override get details() {
    return { field: this.field, row: this.row };
  }
}

/** Shipping was asked to finish and could not: the database is away or the shipper has stopped. The records stay in the journal. */
export class ShippingError extends PerennialError {
  readonly code = 'unavailable';

  constructor(
    /** The end of a sentence. */
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`Logged predictions could not be brought to the database yet: ${reason}.`, options);
  }

  override get transient() {
    return true;
  }
}

/** The artifact store answered with bytes that are not those asked for. */
export class ArtifactDigestError extends PerennialError {
  readonly code = 'artifact-corrupt';

  constructor(readonly digest: Digest) {
    super(`The artifact ${digest} has other content than its digest says.`);
  }

  override get details() {
    return { artifact: this.digest };
  }
}

/** A prediction was asked for after the models were freed: the server is shutting down. */
export class ServingClosedError extends PerennialError {
  readonly code = 'unavailable';

  constructor() {
    super('Predictions are no longer given: the server is shutting down.');
  }

  override get transient() {
    return true;
  }
}

/** The model is not served in the way that was asked for. */
export class ModeNotServedError extends PerennialError {
  readonly code = 'mode-not-served';

  constructor(
    readonly model: string,
    readonly mode: 'online' | 'offline',
  ) {
    const what =
      mode === 'offline'
        ? 'keeps no answers that were computed before'
        : 'answers by key alone, from what was computed before';
    super(
      `The model '${model}' is not served ${mode}: it ${what} (serving.modes of its pipeline says how it is served).`,
    );
  }

  override get details() {
    return { model: this.model, mode: this.mode };
  }
}

/** Most keys that an error names. */
const NAMED_KEYS = 20;

/** Nothing is known of some of the entities that were asked for by their keys. */
export class EntitiesUnknownError extends PerennialError {
  readonly code = 'entity-not-found';
  readonly keys: readonly string[];
  readonly truncated: boolean;

  constructor(
    readonly model: string,
    keys: readonly string[],
  ) {
    const more = keys.length > 1 ? ` (and ${keys.length - 1} other keys)` : '';
    super(
      `No row of '${keys[0]?.slice(0, 120)}'${more} is known for the model '${model}': send the features with the request.`,
    );
    this.keys = keys.slice(0, NAMED_KEYS);
    this.truncated = keys.length > NAMED_KEYS;
  }

  override get details() {
    return { model: this.model, keys: this.keys, truncated: this.truncated };
  }
}

/** There is no answer that was computed before, or none that may still be given. */
export class PrecomputedMissingError extends PerennialError {
  readonly code = 'precomputed-not-found';
  readonly keys: readonly string[];

  constructor(
    readonly model: string,
    /** The end of a sentence that begins with the model: `has no answer for 'c-1'`. */
    readonly reason: string,
    keys: readonly string[] = [],
  ) {
    super(`The model '${model}' ${reason}.`);
    this.keys = keys.slice(0, NAMED_KEYS);
  }

  override get details() {
    return { model: this.model, reason: this.reason, ...(this.keys.length > 0 && { keys: this.keys }) };
  }
}

/** The thread that worked on a large request ended: it had no memory left, most likely. */
export class PredictionThreadError extends PerennialError {
  readonly code = 'unavailable';

  constructor(options?: { cause?: unknown }) {
    super('The request could not be worked on: its thread ended.', options);
  }

  override get transient() {
    return true;
  }
}

/** The thread that brings the journal to the database ended by itself: it had no memory left, or met a defect. Another one is started. */
export class ShippingThreadError extends PerennialError {
  readonly code = 'unavailable';

  constructor(options?: { cause?: unknown }) {
    super('The thread that brings predictions to the database has ended; another one is started.', options);
  }

  override get transient() {
    return true;
  }
}
