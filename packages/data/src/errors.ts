import { PerennialError } from '@perennial/contract';

/** Whose data is wrong, and which field of the pipeline leads there. */
export interface DataPlace {
  pipeline: string;
  field: string;
}

/** The source cannot be read as the pipeline says: a file is missing, empty or damaged, or a column is not there or of the wrong type. */
export class SourceInvalidError extends PerennialError {
  readonly code = 'source-invalid';
  readonly pipeline: string;
  readonly field: string;

  constructor(
    /** What is wrong, with what is there instead. */
    readonly problem: string,
    { pipeline, field }: DataPlace,
    options?: { cause?: unknown },
  ) {
    super(`The source of pipeline '${pipeline}' cannot be used (${field}): ${problem}.`, options);
    this.pipeline = pipeline;
    this.field = field;
  }

  override get details() {
    return { pipeline: this.pipeline, field: this.field, problem: this.problem };
  }
}

/** The source can be read, but its rows make no dataset: a split is empty, an expectation of all rows is broken, the label never changes. */
export class DataInvalidError extends PerennialError {
  readonly code = 'data-invalid';
  readonly pipeline: string;
  readonly field: string;

  constructor(
    readonly problem: string,
    { pipeline, field }: DataPlace,
  ) {
    super(`The data of pipeline '${pipeline}' makes no dataset (${field}): ${problem}.`);
    this.pipeline = pipeline;
    this.field = field;
  }

  override get details() {
    return { pipeline: this.pipeline, field: this.field, problem: this.problem };
  }
}

/** A source file changed between its first and last byte being read; the next run reads the new one. */
export class SourceChangedError extends PerennialError {
  readonly code = 'source-invalid';

  constructor(
    readonly pipeline: string,
    readonly file: string,
  ) {
    super(`The source file '${file}' of pipeline '${pipeline}' changed while it was read.`);
  }

  override get details() {
    return { pipeline: this.pipeline, file: this.file };
  }

  override get transient() {
    return true;
  }
}

/** A pipeline reads from a connection that the platform does not have. */
export class ConnectionUnknownError extends PerennialError {
  readonly code = 'connection-unknown';

  constructor(
    readonly connection: string,
    /** The names of those that there are. */
    readonly known: readonly string[],
  ) {
    const there = known.length === 0 ? 'none is configured' : `there are ${known.join(', ')}`;
    super(`There is no connection '${connection}': ${there}.`);
  }

  override get details() {
    return { connection: this.connection, known: this.known };
  }
}

/** The server behind a connection does not answer at the moment. */
export class ConnectionUnavailableError extends PerennialError {
  readonly code = 'unavailable';

  constructor(
    readonly connection: string,
    options?: { cause?: unknown },
  ) {
    super(`The server of the connection '${connection}' cannot be reached at the moment.`, options);
  }

  override get details() {
    return { connection: this.connection };
  }

  override get transient() {
    return true;
  }
}

/** The data engine refused or broke off a query. Stages translate it where they know whose query it was. */
export class QueryFailedError extends PerennialError {
  readonly code = 'internal';

  constructor(
    /** DuckDB's class of error, such as `Binder` or `Out of Memory`. */
    readonly kind: string,
    /** DuckDB's own sentence, without the query. */
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`The data engine could not answer (${kind}): ${reason}`, options);
  }

  override get details() {
    return { kind: this.kind, reason: this.reason };
  }
}

/** There is no room where the data engine spills and makes files. Nothing half-made stays behind. */
export class WorkFolderFullError extends PerennialError {
  readonly code = 'storage-full';

  constructor(options?: { cause?: unknown }) {
    super('There is no room left in the work folder.', options);
  }

  override get transient() {
    return true;
  }
}

/** A file is not the split it is read as: damaged, or of another dataset version. */
export class SplitUnreadableError extends PerennialError {
  readonly code = 'data-invalid';

  constructor(
    readonly pipeline: string,
    readonly problem: string,
    options?: { cause?: unknown },
  ) {
    super(`A split of pipeline '${pipeline}' cannot be read: ${problem}.`, options);
  }

  override get details() {
    return { pipeline: this.pipeline, problem: this.problem };
  }
}

/** What a batch reads cannot be scored: a file is damaged or of another kind, a column is missing or of the wrong type, a value cannot be read. */
export class BatchInputInvalidError extends PerennialError {
  readonly code = 'data-invalid';

  constructor(
    /** Name of the file or key, as it was asked for. */
    readonly file: string,
    readonly problem: string,
    options?: { cause?: unknown },
  ) {
    super(`The batch cannot be scored: '${file}': ${problem}.`, options);
  }

  override get details() {
    return { file: this.file, problem: this.problem };
  }
}
