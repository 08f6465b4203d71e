import { PerennialError, type BackendName, type ErrorCode, type ErrorDescription } from '@perennial/contract';

/** How a training process ended before it had a result. */
export interface ProcessEnd {
  /** `null` when a signal ended it. */
  exitCode: number | null;
  signal: string | null;
  /** The last lines it wrote, oldest first, 50 at most. */
  lastLines: string[];
}

/** A training that ended without a model: its process died, ran out of time, or met an error that nothing else here names. */
export class TrainingFailedError extends PerennialError {
  readonly code = 'training-failed';
  constructor(
    readonly reason: string,
    readonly end: Partial<ProcessEnd> = {},
    options?: { cause?: unknown },
  ) {
    super(`Training failed: ${reason}`, options);
  }

  override get details(): Record<string, unknown> {
    return { reason: this.reason, ...this.end };
  }
}

/** The pipeline's own training function threw, or returned what is not a network. */
export class TrainFunctionError extends PerennialError {
  readonly code = 'training-failed';
  constructor(
    readonly reason: string,
    /** The function's stack, one line each; empty where nothing was thrown. */
    readonly trace: string[] = [],
    options?: { cause?: unknown },
  ) {
    super(`The pipeline's training function failed: ${reason}`, options);
  }

  override get details() {
    return { reason: this.reason, trace: this.trace };
  }
}

/** A custom network holds a layer that cannot be written into the artifact. */
export class UnsupportedLayerError extends PerennialError {
  readonly code = 'training-failed';
  constructor(
    readonly layer: string,
    /** The layer's class, with what of it is not supported: `Conv1D`, `Dense with activation 'mish'`. */
    readonly kind: string,
    readonly supported: readonly string[],
  ) {
    super(`The layer '${layer}' is a ${kind}, which cannot be exported. Supported: ${supported.join(', ')}.`);
  }

  override get details() {
    return { layer: this.layer, kind: this.kind, supported: this.supported };
  }
}

/** A custom network whose inputs or output do not fit the pipeline's features or label. */
export class NetworkShapeError extends PerennialError {
  readonly code = 'training-failed';
  constructor(readonly reason: string) {
    super(`The network does not fit the pipeline: ${reason}`);
  }

  override get details() {
    return { reason: this.reason };
  }
}

/** The loss became NaN or infinite. */
export class DivergedError extends PerennialError {
  readonly code = 'training-failed';
  constructor(
    readonly epoch: number,
    readonly learningRate: number,
  ) {
    super(
      `The loss is no longer a number in epoch ${epoch}: the training diverged. A smaller learning rate than ${learningRate}, or features on a smaller scale, usually help.`,
    );
  }

  override get details() {
    return { epoch: this.epoch, learningRate: this.learningRate };
  }
}

/** The exported file answers differently from the network that was trained. */
export class ParityError extends PerennialError {
  readonly code = 'training-failed';
  constructor(
    readonly maxDifference: number,
    readonly tolerance: number,
    readonly rows: number,
  ) {
    super(
      `The exported file and the trained network are ${maxDifference.toExponential(2)} apart on ${rows} rows; at most ${tolerance} is allowed.`,
    );
  }

  override get details() {
    return { maxDifference: this.maxDifference, tolerance: this.tolerance, rows: this.rows };
  }
}

/** The training backend that was asked for is not usable on this machine. */
export class BackendUnavailableError extends PerennialError {
  readonly code = 'training-failed';
  constructor(
    readonly backend: BackendName,
    /** What would have to be there, as a sentence. */
    readonly missing: string,
    options?: { cause?: unknown },
  ) {
    super(`The training backend '${backend}' cannot be used here: ${missing}`, options);
  }

  override get details() {
    return { backend: this.backend, missing: this.missing };
  }
}

/** An error of another package that came up in the training process (a pipeline file that does not load, say), with the code it had there. */
export class ReportedError extends PerennialError {
  readonly code: ErrorCode;
  constructor(readonly description: ErrorDescription) {
    super(description.message);
    this.code = description.code;
  }

  override get details() {
    return this.description.details ?? {};
  }
}
