import { PerennialError, type Issue } from '@perennial/contract';

/** Where an invalid pipeline came from, as far as it is known. */
export interface PipelineOrigin {
  /** The pipeline's name, where it got far enough to have one. */
  pipeline?: string | undefined;
  /** The pipeline file, as the caller named it. */
  file?: string | undefined;
  cause?: unknown;
}

/**
 * A pipeline cannot be used as it is written. Its issues name the fields (`features.distance.scale`) and what is allowed there; an issue
 * about the file as a whole has an empty path.
 */
export class PipelineInvalidError extends PerennialError {
  readonly code = 'pipeline-invalid';
  readonly pipeline: string | undefined;
  readonly file: string | undefined;

  constructor(
    readonly issues: readonly Issue[],
    origin: PipelineOrigin = {},
  ) {
    super(describe(issues, origin), origin.cause === undefined ? undefined : { cause: origin.cause });
    this.pipeline = origin.pipeline;
    this.file = origin.file;
  }

  override get details() {
    return {
      ...(this.pipeline === undefined ? {} : { pipeline: this.pipeline }),
      ...(this.file === undefined ? {} : { file: this.file }),
      issues: this.issues,
    };
  }
}

/** Codes of Node for a network that was not there: the same call may succeed later. */
const PASSING = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** The author's query function threw. Transient where the network was the reason, by the code of what was thrown or of its cause. */
export class QueryFunctionError extends PerennialError {
  readonly code = 'source-invalid';
  readonly pipeline: string;

  constructor(
    /** What was thrown and, where it is known, at which line of the author's. */
    readonly thrown: string,
    { pipeline, cause }: { pipeline: string; cause: unknown },
  ) {
    super(`The query function of pipeline '${pipeline}' threw ${thrown}.`, { cause });
    this.pipeline = pipeline;
  }

  override get details() {
    return { pipeline: this.pipeline, field: 'data.source', thrown: this.thrown };
  }

  override get transient() {
    return [this.cause, (this.cause as { cause?: unknown } | undefined)?.cause].some((error) =>
      PASSING.has((error as NodeJS.ErrnoException | undefined)?.code ?? ''),
    );
  }
}

function describe(issues: readonly Issue[], { pipeline, file }: PipelineOrigin): string {
  const subject = pipeline === undefined ? 'The pipeline' : `The pipeline '${pipeline}'`;
  const where = file === undefined ? '' : ` in ${file}`;
  const what = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return `${subject}${where} is not valid. ${what.join('; ')}.`;
}
