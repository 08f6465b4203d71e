import { PerennialError, type Digest } from '@perennial/contract';

/** The database cannot be reached or is going away; the same request may succeed when it is back. */
export class DatabaseUnavailableError extends PerennialError {
  readonly code = 'unavailable';
  constructor(options?: { cause?: unknown }) {
    super('The database cannot be reached at the moment.', options);
  }

  override get transient() {
    return true;
  }
}

/** Two transactions got in each other's way (serialization failure, deadlock, lock timeout); the same transaction may succeed when run again. */
export class TransactionConflictError extends PerennialError {
  readonly code = 'unavailable';
  constructor(
    readonly sqlState: string,
    options?: { cause?: unknown },
  ) {
    super('The request collided with another one.', options);
  }

  override get details() {
    return { sqlState: this.sqlState };
  }

  override get transient() {
    return true;
  }
}

/** A row with the same value exists, by the named unique constraint or index. */
export class UniqueViolationError extends PerennialError {
  readonly code = 'conflict';
  constructor(
    readonly constraint: string,
    options?: { cause?: unknown },
  ) {
    super(`There is one already (${constraint}).`, options);
  }

  override get details() {
    return { constraint: this.constraint };
  }
}

/** The database refused a statement for a reason that trying again does not cure. `sqlState` is PostgreSQL's five-character code. */
export class DatabaseError extends PerennialError {
  readonly code = 'internal';
  constructor(
    readonly sqlState: string,
    options?: { cause?: unknown },
  ) {
    super(`The database refused a statement (SQLSTATE ${sqlState}).`, options);
  }

  override get details() {
    return { sqlState: this.sqlState };
  }
}

/** The address of the database is not one, or the database does not let us in. */
export class DatabaseAddressError extends PerennialError {
  readonly code = 'internal';
  constructor(reason: string, options?: { cause?: unknown }) {
    super(`The database cannot be opened: ${reason}.`, options);
  }
}

/** The database holds migrations that this version of the code does not know, or holds other ones than the code has. */
export class DatabaseSchemaError extends PerennialError {
  readonly code = 'internal';
  constructor(
    readonly problem: 'newer' | 'different',
    readonly migration: string,
  ) {
    super(
      problem === 'newer'
        ? `The database is newer than this version of Perennial: it has the migration ${migration}. Run the newer version.`
        : `The migration ${migration} in the database is not the one this version of Perennial has. A migration must not change after it landed.`,
    );
  }

  override get details() {
    return { problem: this.problem, migration: this.migration };
  }
}

/** No embedded PostgreSQL can run on this machine. The message says what to do instead. */
export class EmbeddedPostgresUnsupportedError extends PerennialError {
  readonly code = 'internal';
  constructor(
    readonly platform: string,
    reason: string,
  ) {
    super(
      `The embedded PostgreSQL cannot run on ${platform}: ${reason}. Set DATABASE_URL to the address of a PostgreSQL 15 or later instead.`,
    );
  }

  override get details() {
    return { platform: this.platform };
  }
}

/** The embedded PostgreSQL did not start or stop. `log` is the end of what it said. */
export class EmbeddedPostgresError extends PerennialError {
  readonly code = 'unavailable';
  readonly folder: string;
  readonly log: string;
  constructor(problem: string, context: { folder: string; log?: string; cause?: unknown }) {
    const log = context.log?.trim() ?? '';
    super(`The embedded PostgreSQL in ${context.folder} ${problem}${log === '' ? '.' : `:\n${log}`}`, {
      cause: context.cause,
    });
    this.folder = context.folder;
    this.log = log;
  }

  override get details() {
    return { folder: this.folder };
  }
}

/** Another living platform uses the folder. */
export class FolderInUseError extends PerennialError {
  readonly code = 'conflict';
  constructor(
    readonly folder: string,
    readonly owner: { pid: number; machine: string },
    hint = 'Stop it first, or use another folder.',
  ) {
    super(`The folder ${folder} is in use by process ${owner.pid} on ${owner.machine}. ${hint}`);
  }

  override get details() {
    return { folder: this.folder, ...this.owner };
  }
}

/** There is no room left where artifacts or rows are kept. Nothing was half written. */
export class StorageFullError extends PerennialError {
  readonly code = 'storage-full';
  constructor(
    readonly store: 'artifact store' | 'database',
    options?: { cause?: unknown },
  ) {
    super(`There is no room left in the ${store}.`, options);
  }

  override get details() {
    return { store: this.store };
  }

  override get transient() {
    return true;
  }
}

/** What is stored under a digest has another digest: the bytes were damaged after they were written. */
export class ArtifactCorruptError extends PerennialError {
  readonly code = 'artifact-corrupt';
  constructor(
    readonly digest: Digest,
    readonly found: Digest,
  ) {
    super(`The artifact ${digest} is damaged: its bytes have the digest ${found}.`);
  }

  override get details() {
    return { artifact: this.digest, found: this.found };
  }
}

/** The artifact store cannot be reached, does not answer in time, or refuses us. */
export class ArtifactStoreUnavailableError extends PerennialError {
  readonly code = 'unavailable';
  constructor(
    readonly operation: string,
    options?: { cause?: unknown },
  ) {
    super(`The artifact store did not answer (${operation}).`, options);
  }

  override get details() {
    return { operation: this.operation };
  }

  override get transient() {
    return true;
  }
}

/** The object is no longer the one that was listed. */
export class S3ObjectChangedError extends PerennialError {
  readonly code = 'conflict';
  constructor(
    readonly bucket: string,
    readonly key: string,
  ) {
    super(`The object '${key}' of the bucket '${bucket}' changed while it was read.`);
  }

  override get details() {
    return { bucket: this.bucket, key: this.key };
  }

  override get transient() {
    return true;
  }
}

/** A bucket that objects are to be read from is not there, or not for us. */
export class S3BucketUnusableError extends PerennialError {
  readonly code = 'source-invalid';
  constructor(
    readonly bucket: string,
    readonly problem: string,
    options?: { cause?: unknown },
  ) {
    super(`The bucket '${bucket}' cannot be read: ${problem}.`, options);
  }

  override get details() {
    return { bucket: this.bucket, problem: this.problem };
  }
}

/** The result of an asynchronous prediction was there, or was to come, and its time is over. */
export class ResultExpiredError extends PerennialError {
  readonly code = 'result-expired';
  constructor(
    readonly prediction: string,
    readonly expiredAt: Date,
  ) {
    super(`The asynchronous prediction '${prediction}' expired at ${expiredAt.toISOString()}: ask again.`);
  }

  override get details() {
    return { prediction: this.prediction, expiredAt: this.expiredAt.toISOString() };
  }
}
