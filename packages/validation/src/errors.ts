import { METRICS, PerennialError, type LabelKind, type Metric } from '@perennial/contract';

/** A gate asks for a metric that its pipeline's kind of label does not have. */
export class MetricKindError extends PerennialError {
  readonly code = 'pipeline-invalid';
  constructor(
    readonly metric: Metric,
    readonly label: LabelKind,
  ) {
    super(
      `The metric '${metric}' does not go with a ${label} label; allowed are ${METRICS[label].join(', ')}.`,
    );
  }

  override get details() {
    return { metric: this.metric, label: this.label };
  }
}

/** A file runs, but what it takes or answers is not what its pipeline asked for. */
export class CandidateInvalidError extends PerennialError {
  readonly code = 'artifact-invalid';
  constructor(
    readonly artifact: string,
    readonly problem: string,
    options?: { cause?: unknown },
  ) {
    super(`The candidate ${artifact} cannot be validated: ${problem}.`, options);
  }

  override get details() {
    return { artifact: this.artifact, problem: this.problem };
  }
}

/** A split's file does not hold the rows that its manifest says. */
export class SplitMismatchError extends PerennialError {
  readonly code = 'artifact-corrupt';
  constructor(
    readonly dataset: string,
    readonly expected: number,
    readonly found: number,
  ) {
    super(`The test split of dataset ${dataset} should hold ${expected} rows and holds ${found}.`);
  }

  override get details() {
    return { dataset: this.dataset, expected: this.expected, found: this.found };
  }
}
