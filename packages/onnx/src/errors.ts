import { PerennialError } from '@perennial/contract';

/**
 * What was to be written as an artifact, or was read as one, is not a sound artifact: bytes that are no ONNX file, metadata that is
 * missing or contradicts the graph, a feature that does not fit its column, weights of the wrong shape.
 */
export class ArtifactInvalidError extends PerennialError {
  readonly code = 'artifact-invalid';
  constructor(
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`The artifact is not valid: ${reason}.`, options);
  }
}

/** A model that was not written by the platform cannot be taken as an artifact; the reason names what it would have to be. */
export class ModelRefusedError extends PerennialError {
  readonly code = 'artifact-invalid';
  constructor(
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`The model file is refused: ${reason}.`, options);
  }
}

/** A layer of a network, or an option of it, that cannot be written as ONNX. */
export class UnsupportedLayerError extends PerennialError {
  readonly code = 'artifact-invalid';
  constructor(
    readonly layer: string,
    readonly reason: string,
  ) {
    super(`Layer '${layer}' is not supported: ${reason}.`);
  }

  override get details() {
    return { layer: this.layer };
  }
}

/** A batch lacks a column of the signature, or a column has another type or number of rows than the batch says. */
export class BatchInvalidError extends PerennialError {
  readonly code = 'invalid-instance';
  constructor(
    readonly column: string,
    readonly reason: string,
  ) {
    super(`Column '${column}' ${reason}.`);
  }

  override get details() {
    return { column: this.column };
  }
}

/** ONNX Runtime could not answer: the session is released, or an operator failed. The runtime's own error is the `cause`. */
export class InferenceFailedError extends PerennialError {
  readonly code = 'internal';
  constructor(
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`Inference failed: ${reason}.`, options);
  }
}
