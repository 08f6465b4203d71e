import { PerennialError, type NotFoundError, type TriggerRecord } from '@perennial/contract';

/** Every worker that had the run was stopped or died before the run's end; it may well be the run that kills them. */
export class WorkersLostError extends PerennialError {
  readonly code = 'internal';
  constructor(
    readonly run: string,
    readonly times: number,
  ) {
    super(
      `The run '${run}' was begun ${times} times, and each time its worker was stopped or died before the end. Start a new run.`,
    );
  }

  override get details() {
    return { run: this.run, times: this.times };
  }
}

/** The pipeline's file is not the one that the run was asked for with. */
export class PipelineChangedError extends PerennialError {
  readonly code = 'conflict';
  constructor(
    readonly pipeline: string,
    readonly run: string,
  ) {
    super(
      `The code of the pipeline '${pipeline}' has changed since the run '${run}' was asked for: start a new run.`,
    );
  }

  override get details() {
    return { pipeline: this.pipeline, run: this.run };
  }
}

/** A version cannot be made again here, for a reason that trying again does not remove. */
export class NotReproducibleError extends PerennialError {
  readonly code = 'conflict';
  constructor(
    /** `flight-delay@12` */
    readonly version: string,
    /** A sentence: `The code of its pipeline has changed since.` */
    readonly reason: string,
  ) {
    super(`${version} cannot be made again here. ${reason}`);
  }

  override get details() {
    return { version: this.version, reason: this.reason };
  }
}

/** A golden set of the pipeline is a dataset version that is not on record, or whose rows are not kept any more. */
export class GoldenSetMissingError extends PerennialError {
  readonly code = 'pipeline-invalid';
  readonly goldenSet: string;
  readonly dataset: string;
  constructor(
    readonly pipeline: string,
    { name, dataset }: { name: string; dataset: string },
    cause: NotFoundError,
  ) {
    const what =
      cause.kind === 'dataset' ? 'there is no such dataset version' : 'its rows are not kept any more';
    super(`The golden set '${name}' of the pipeline '${pipeline}' cannot be used: ${dataset}: ${what}.`, {
      cause,
    });
    this.goldenSet = name;
    this.dataset = dataset;
  }

  override get details() {
    return { pipeline: this.pipeline, goldenSet: this.goldenSet, dataset: this.dataset };
  }
}

/** A step took longer than its policy allows. */
export class StepTimedOutError extends PerennialError {
  readonly code = 'timed-out';
  constructor(
    readonly step: string,
    readonly timeout: string,
  ) {
    super(`The step '${step}' took longer than ${timeout}, which is what the pipeline gives it.`);
  }

  override get details() {
    return { step: this.step, timeout: this.timeout };
  }
}

/** A trigger that someone waits for started no run: the pipeline's limits hold its kind back. */
export class TriggerSkippedError extends PerennialError {
  readonly code = 'conflict';
  constructor(readonly trigger: Pick<TriggerRecord, 'id' | 'pipeline' | 'reason'>) {
    super(`The pipeline '${trigger.pipeline}' was not run. ${trigger.reason}`);
  }

  override get details() {
    const { id, pipeline } = this.trigger;
    return { trigger: id, pipeline };
  }
}

/** What receives OpenLineage events did not take one. */
export class LineageReceiverError extends PerennialError {
  readonly code = 'unavailable';
  constructor(
    /** Of its answer; null where there was none. */
    readonly status: number | null,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`The OpenLineage receiver did not take the event: ${reason}.`, options);
  }
}

/** Every worker that had a part of a batch was stopped or died before its end; it may well be the batch that kills them. */
export class BatchesLostError extends PerennialError {
  readonly code = 'internal';
  constructor(
    readonly batch: string,
    readonly times: number,
  ) {
    super(
      `A part of the batch '${batch}' was begun ${times} times, and each time its worker was stopped or died before the end.`,
    );
  }

  override get details() {
    return { batch: this.batch, times: this.times };
  }
}

/** There are no entities to compute answers for. */
export class NothingToPrecomputeError extends PerennialError {
  readonly code = 'entity-not-found';
  constructor(
    readonly model: string,
    /** The condition that holds for none; null where there are none at all. */
    readonly keys: string | null,
  ) {
    const why =
      keys === null
        ? 'its pipeline names no data.key, or no run of it has brought any yet'
        : 'the condition holds for none that is known';
    super(`There are no entities of '${model}' to compute answers for: ${why}.`);
  }

  override get details() {
    return { model: this.model, ...(this.keys !== null && { keys: this.keys }) };
  }
}

/** Every worker that had a part of the precomputation was stopped or died before its end. */
export class PrecomputationLostError extends PerennialError {
  readonly code = 'internal';
  constructor(
    readonly precomputation: string,
    readonly times: number,
  ) {
    super(
      `A part of the precomputation '${precomputation}' was begun ${times} times, and each time its worker was stopped or died before the end.`,
    );
  }

  override get details() {
    return { precomputation: this.precomputation, times: this.times };
  }
}
