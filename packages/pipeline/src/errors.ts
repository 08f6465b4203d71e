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

function describe(issues: readonly Issue[], { pipeline, file }: PipelineOrigin): string {
  const subject = pipeline === undefined ? 'The pipeline' : `The pipeline '${pipeline}'`;
  const where = file === undefined ? '' : ` in ${file}`;
  const what = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return `${subject}${where} is not valid. ${what.join('; ')}.`;
}
