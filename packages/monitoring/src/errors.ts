import { PerennialError, formatId } from '@perennial/contract';

/** Ground truth names predictions that were never made. */
export class UnknownPredictionsError extends PerennialError {
  readonly code = 'prediction-not-found';
  readonly predictions: string[];

  constructor(uuids: string[]) {
    const shown = uuids.slice(0, 20).map((uuid) => formatId('prediction', uuid));
    super(
      uuids.length === 1
        ? `There is no prediction '${shown[0]}'; nothing was recorded.`
        : `${uuids.length} of the predictions named do not exist; nothing was recorded.`,
    );
    this.predictions = shown;
  }

  override get details() {
    return { predictions: this.predictions };
  }
}

/** A fact whose type cannot be the label of its model. */
export class LabelMismatchError extends PerennialError {
  readonly code = 'invalid-request';
  constructor(
    readonly index: number,
    readonly allowed: string,
  ) {
    super(`items[${index}].label must be ${allowed}.`);
  }

  override get details() {
    return { issues: [{ path: `items[${this.index}].label`, message: `must be ${this.allowed}` }] };
  }
}
