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

/** A webhook's address leads where the platform must not go on somebody's behalf, or is none that can be sent to. */
export class WebhookAddressError extends PerennialError {
  readonly code = 'invalid-request';
  constructor(
    readonly reason: string,
    options?: { cause?: unknown },
  ) {
    super(`The webhook's address cannot be used: ${reason}.`, options);
  }

  override get details() {
    return { issues: [{ path: 'url', message: this.reason }] };
  }
}

/** Every event is written once for each webhook in the transaction of what it tells of, so that their number must have a bound. */
export class TooManyWebhooksError extends PerennialError {
  readonly code = 'conflict';
  constructor(readonly limit: number) {
    super(`There are ${limit} webhooks, and there can be no more: delete one first.`);
  }

  override get details() {
    return { limit: this.limit };
  }
}

/** What was to go to a webhook cannot, since the webhook is no more. */
export class WebhookDeletedError extends PerennialError {
  readonly code = 'conflict';
  constructor(readonly delivery: string) {
    super(`The webhook of the delivery '${delivery}' was deleted: it cannot be sent again.`);
  }

  override get details() {
    return { delivery: this.delivery };
  }
}
