import { PerennialError } from '@perennial/contract';

/** The source cannot be read as the pipeline says: a file is missing, empty or damaged, or a column is not there or of the wrong type. */
export class SourceInvalidError extends PerennialError {
  readonly code = 'source-invalid';

  constructor(
    readonly pipeline: string,
    readonly field: string,
    /** What is wrong, with what is there instead. */
    readonly problem: string,
    options?: { cause?: unknown },
  ) {
    super(`The source of pipeline '${pipeline}' cannot be used (${field}): ${problem}.`, options);
  }

  override get details() {
    return { pipeline: this.pipeline, field: this.field, problem: this.problem };
  }
}

/** The source can be read, but its rows make no dataset: a split is empty, an expectation of all rows is broken, the label never changes. */
export class DataInvalidError extends PerennialError {
  readonly code = 'data-invalid';

  constructor(
    readonly pipeline: string,
    readonly field: string,
    readonly problem: string,
  ) {
    super(`The data of pipeline '${pipeline}' makes no dataset (${field}): ${problem}.`);
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
