import { setImmediate } from 'node:timers/promises';
import type { Optimizer, Scalar, Tensor, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { FittedLabel, NetworkTrainSpec, TrainingProgress, TrainingResult } from '@perennial/contract';
import { DivergedError } from '../errors.ts';
import { tf } from '../tensorflow.ts';
import { Batches, inOrder } from './batch.ts';
import { BestWeights } from './best-weights.ts';
import type { EncodedRows } from './encoded-rows.ts';
import { LOSSES, type Loss } from './loss.ts';
import { createOptimizer } from './optimizer.ts';
import { RandomStream } from './random.ts';

export interface FitTask {
  model: LayersModel;
  spec: NetworkTrainSpec;
  /** Passes to make: the spec's, or those of its warm start. */
  epochs: number;
  label: FittedLabel;
  /** What is fed to each of the network's inputs, in its order. */
  inputs: readonly string[];
  train: EncodedRows;
  /** May hold no rows: then the training loss stands in for patience. */
  validation: EncodedRows;
}

export type EpochResult = TrainingResult['epochs'][number];
export type ProgressListener = (progress: TrainingProgress) => void;

/** Steps between two looks at the loss. Each look waits for the device and lets the process breathe; 16 keep that under one percent. */
const STEPS_PER_LOOK = 16;
/** Rows in one forward pass without gradients. */
const FORWARD_ROWS = 8192;

/**
 * Fits a network in place by mini-batches in an order drawn from the spec's seed. The same network, rows, seed and backend give the same
 * weights, bit for bit. It is a loop of our own rather than `model.fit`: no slower, and it neither shuffles by `Math.random` nor keeps tensors.
 *
 * @throws DivergedError as soon as a loss is not a finite number
 */
export async function fit(task: FitTask, onProgress: ProgressListener): Promise<EpochResult[]> {
  const { spec, epochs } = task;
  const epochRunner = new EpochRunner(task, onProgress);
  const best = spec.patience === undefined ? null : new BestWeights(task.model, spec.patience);
  const results: EpochResult[] = [];
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const result = await epochRunner.run(epoch);
      results.push(result);
      if (best?.observe(result.validationLoss ?? result.loss) === true) break;
    }
    best?.restore();
  } finally {
    epochRunner.dispose();
  }
  return results;
}

class EpochRunner {
  readonly #task: FitTask;
  readonly #onProgress: ProgressListener;
  readonly #batches: Batches;
  readonly #order: Uint32Array;
  readonly #random: RandomStream;
  readonly #optimizer: Optimizer;
  readonly #variables: Variable[];
  readonly #loss: Loss;

  constructor(task: FitTask, onProgress: ProgressListener) {
    this.#task = task;
    this.#onProgress = onProgress;
    this.#batches = new Batches(task.train, task.inputs, task.label);
    this.#order = inOrder(task.train.rows);
    this.#random = new RandomStream(task.spec.seed);
    this.#optimizer = createOptimizer(task.spec);
    this.#variables = task.model.trainableWeights.map((weight) => weight.read() as Variable);
    this.#loss = LOSSES[task.label.kind];
  }

  async run(epoch: number): Promise<EpochResult> {
    const started = performance.now();
    this.#random.shuffle(this.#order);
    const loss = await this.#trainOnce(epoch);
    const rowsPerSecond = (this.#order.length / (performance.now() - started)) * 1000;
    const validationLoss = await meanLoss(this.#task, this.#task.validation);
    if (validationLoss !== null) this.#requireFinite(validationLoss, epoch);
    const result = { epoch, loss, validationLoss };
    this.#onProgress({ type: 'epoch', ...result, rowsPerSecond });
    return result;
  }

  async #trainOnce(epoch: number): Promise<number> {
    const { batchSize } = this.#task.spec;
    const rows = this.#order.length;
    let pending: { loss: Scalar; rows: number }[] = [];
    let total = 0;
    for (let from = 0; from < rows; from += batchSize) {
      const positions = this.#order.subarray(from, from + batchSize);
      pending.push({ loss: this.#step(positions), rows: positions.length });
      const seen = from + positions.length;
      if (pending.length < STEPS_PER_LOOK && seen < rows) continue;
      total += await this.#look(pending, epoch);
      pending = [];
      const done = (epoch - 1 + seen / rows) / this.#task.epochs;
      this.#onProgress({ type: 'batch', epoch, done, loss: total / seen });
    }
    return total / rows;
  }

  /** One step of the optimizer; gives the loss before it. */
  #step(positions: Uint32Array): Scalar {
    return tf.tidy(() => {
      const batch = this.#batches.take(positions);
      const { model } = this.#task;
      const { value, grads } = tf.variableGrads(() => {
        const predicted = model.apply(batch.inputs, { training: true }) as Tensor;
        const penalties = model.calculateLosses();
        return penalties.reduce<Scalar>(
          (sum, penalty) => tf.add(sum, penalty),
          this.#loss(predicted, batch.targets),
        );
      }, this.#variables);
      this.#optimizer.applyGradients(grads);
      return value;
    });
  }

  /** Reads the losses of the last steps: their sum over rows. */
  async #look(pending: { loss: Scalar; rows: number }[], epoch: number): Promise<number> {
    let sum = 0;
    for (const { loss, rows } of pending) {
      const [value] = await loss.data();
      loss.dispose();
      sum += value! * rows;
    }
    this.#requireFinite(sum, epoch);
    // Promises alone never let the message channel run, on which the end of the parent is noticed.
    await setImmediate();
    return sum;
  }

  #requireFinite(loss: number, epoch: number): void {
    if (!Number.isFinite(loss)) throw new DivergedError(epoch, this.#task.spec.learningRate);
  }

  dispose(): void {
    this.#optimizer.dispose();
  }
}

type Evaluation = Pick<FitTask, 'model' | 'label' | 'inputs'>;

/** Mean loss over some rows as at inference, or `null` where there are none. */
async function meanLoss(task: Evaluation, rows: EncodedRows): Promise<number | null> {
  const batches = new Batches(rows, task.inputs, task.label);
  const order = inOrder(rows.rows);
  let total = 0;
  for (let from = 0; from < rows.rows; from += FORWARD_ROWS) {
    const positions = order.subarray(from, from + FORWARD_ROWS);
    const loss = tf.tidy(() => {
      const { inputs, targets } = batches.take(positions);
      return LOSSES[task.label.kind](task.model.apply(inputs, { training: false }) as Tensor, targets);
    });
    total += (await loss.data())[0]! * positions.length;
    loss.dispose();
  }
  return rows.rows === 0 ? null : total / rows.rows;
}

/** What a network answers for some rows, row-major `[rows, width]`. */
export async function predict(task: Evaluation, rows: EncodedRows): Promise<Float32Array> {
  const batches = new Batches(rows, task.inputs, task.label);
  const order = inOrder(rows.rows);
  const pieces: Float32Array[] = [];
  for (let from = 0; from < rows.rows; from += FORWARD_ROWS) {
    const positions = order.subarray(from, from + FORWARD_ROWS);
    const predicted = tf.tidy(
      () => task.model.apply(batches.take(positions).inputs, { training: false }) as Tensor,
    );
    pieces.push(Float32Array.from(await predicted.data()));
    predicted.dispose();
  }
  const answers = new Float32Array(pieces.reduce((length, piece) => length + piece.length, 0));
  pieces.reduce((filled, piece) => (answers.set(piece, filled), filled + piece.length), 0);
  return answers;
}
