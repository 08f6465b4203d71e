/**
 * What one model answered for the rows of a split beside what was true, as flat columns: no object per row, so that a million rows
 * take a few megabytes.
 */
export type ScoredRows = BinaryRows | MulticlassRows | RegressionRows;

export interface BinaryRows {
  kind: 'binary';
  /** 0 or 1. */
  labels: Uint8Array;
  /** In [0, 1]. */
  probability: Float32Array;
  /** 0 or 1, by the artifact's own threshold. */
  decision: Uint8Array;
}

/**
 * Classes are numbered over everything that occurs (the models' classes and the labels), so that two models with different classes
 * can be compared on the same rows. Of the probabilities only the true class's is kept: no metric reads another.
 */
export interface MulticlassRows {
  kind: 'multiclass';
  /** Number of classes that the numbers in `labels` and `decision` run over. */
  classes: number;
  labels: Int32Array;
  /** The probability the model gave to the row's true class; 0 where the model does not know that class. */
  labelProbability: Float32Array;
  decision: Int32Array;
}

export interface RegressionRows {
  kind: 'regression';
  labels: Float64Array;
  value: Float32Array;
}

/** Some of the rows, by their numbers. */
export function selectRows(rows: ScoredRows, selected: Uint32Array): ScoredRows {
  switch (rows.kind) {
    case 'binary':
      return {
        kind: 'binary',
        labels: Uint8Array.from(selected, (row) => rows.labels[row]!),
        probability: Float32Array.from(selected, (row) => rows.probability[row]!),
        decision: Uint8Array.from(selected, (row) => rows.decision[row]!),
      };
    case 'multiclass':
      return {
        kind: 'multiclass',
        classes: rows.classes,
        labels: Int32Array.from(selected, (row) => rows.labels[row]!),
        labelProbability: Float32Array.from(selected, (row) => rows.labelProbability[row]!),
        decision: Int32Array.from(selected, (row) => rows.decision[row]!),
      };
    case 'regression':
      return {
        kind: 'regression',
        labels: Float64Array.from(selected, (row) => rows.labels[row]!),
        value: Float32Array.from(selected, (row) => rows.value[row]!),
      };
  }
}
