import { PerennialError, type TriggerRecord } from '@perennial/contract';

/** The run was cancelled while it was being executed. */
export class RunCancelledError extends PerennialError {
  readonly code = 'conflict';
  constructor(readonly run: string) {
    super(`The run '${run}' was cancelled.`);
  }

  override get details() {
    return { run: this.run };
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
