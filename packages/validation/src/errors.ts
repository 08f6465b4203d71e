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

/** An artifact cannot be scored on a dataset: it needs what the dataset does not have, or answers what no metric can be made of. */
export class ArtifactUnfitError extends PerennialError {
  readonly code = 'artifact-invalid';
  constructor(
    readonly artifact: string,
    /** A clause that goes on from "it": `it needs the column 'carrier', which …`. */
    readonly problem: string,
  ) {
    super(`The artifact ${artifact} cannot be validated: ${problem}.`);
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

/** A label in the split's file is not of the kind that the dataset's manifest says. */
export class LabelMismatchError extends PerennialError {
  readonly code = 'artifact-corrupt';
  constructor(
    readonly label: LabelKind,
    readonly row: number,
  ) {
    super(`The label of test row ${row} is not a ${label} label.`);
  }

  override get details() {
    return { label: this.label, row: this.row };
  }
}
