/** Where the time of one prediction request went, in milliseconds, and in what company it was computed. */
export interface PredictionPhases {
  /** Checking the instances and laying them out as columns. */
  validate: number;
  /** Waiting until a batch with the rows was begun. */
  queue: number;
  /** Computing the batches that the rows were in. */
  compute: number;
  /** Ids, and getting on record. */
  record: number;
  /** Rows of each batch that this request was the first in: every batch is told of once. */
  ledBatches: number[];
}

export function newPhases(): PredictionPhases {
  return { validate: 0, queue: 0, compute: 0, record: 0, ledBatches: [] };
}
