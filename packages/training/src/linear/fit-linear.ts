import type { FittedLabel } from '@perennial/contract';
import type { EncodedRows } from '../fit/encoded-rows.ts';
import { RandomStream } from '../fit/random.ts';
import { outputWidth } from '../network/layout.ts';
import { columnScale, type ColumnScale } from './column-scale.ts';
import { DescendingWeights } from './descending-weights.ts';
import { LOSS_SLOPES, type LossSlope } from './loss-slope.ts';

/** A linear model: one weight per dense column and per category, for each number that it answers with. */
export interface LinearModel {
  /** Row-major `[denseWidth, width]`. */
  kernel: Float64Array;
  bias: Float64Array;
  /** By embedding feature, row-major `[size, width]`. */
  tables: Map<string, Float64Array>;
  /** 1, or the number of classes. */
  width: number;
}

export interface LinearTask {
  rows: EncodedRows;
  label: FittedLabel;
  /** Number of indices of each embedding feature. */
  sizes: ReadonlyMap<string, number>;
  seed: number;
}

/** Of more rows the newest are taken: it is a yardstick, and a straight line needs fewer rows than a network. */
const MOST_ROWS = 100_000;
/** A step over many classes costs as many times more; then fewer rows are taken. */
const MOST_ANSWERS = 400_000;
const PASSES = 4;
/** Weights that the last pass is averaged over: single rows push the last ones to and fro. */
const SNAPSHOTS = 32;

/**
 * A logistic (binary label), softmax (multiclass) or least-squares (regression) model on encoded features, by AdaGrad, one row at a time (Duchi et al.,
 * "Adaptive Subgradient Methods", 2011), which gives a rare category large steps and a frequent one small. It is plain arithmetic in float64, on no
 * backend: of so small a model a tensor's overhead would be most of the work, and the weights are the same everywhere.
 */
export function fitLinear(task: LinearTask): LinearModel {
  const { rows, label, seed } = task;
  const count = Math.min(rows.rows, MOST_ROWS, Math.floor(MOST_ANSWERS / outputWidth(label)));
  const oldest = rows.rows - count;
  const descent = new Descent(task, columnScale(rows, oldest));
  const order = Uint32Array.from({ length: count }, (_, i) => oldest + i);
  const random = new RandomStream(seed);
  const stride = Math.max(1, Math.floor(count / SNAPSHOTS));
  for (let pass = 1; pass <= PASSES; pass++) {
    random.shuffle(order);
    order.forEach((row, i) => {
      descent.step(row);
      if (pass === PASSES && i % stride === stride - 1) descent.remember();
    });
  }
  return descent.model();
}

class Descent {
  readonly #rows: EncodedRows;
  readonly #width: number;
  readonly #slope: LossSlope;
  readonly #scale: ColumnScale;
  /** One over a column's deviation; 0 of one that is always the same. */
  readonly #factor: Float64Array;
  readonly #kernel: DescendingWeights;
  readonly #bias: DescendingWeights;
  readonly #tables: { feature: string; indices: Int32Array; weights: DescendingWeights }[];
  /** One row's dense columns, scaled, and what is learnt of its answers. */
  readonly #columns: Float64Array;
  readonly #answers: Float64Array;

  constructor({ rows, label, sizes }: LinearTask, scale: ColumnScale) {
    this.#rows = rows;
    this.#width = outputWidth(label);
    this.#slope = LOSS_SLOPES[label.kind];
    this.#scale = scale;
    this.#factor = scale.deviation.map((deviation) => (deviation > 0 ? 1 / deviation : 0));
    this.#kernel = new DescendingWeights(rows.denseWidth * this.#width);
    this.#bias = new DescendingWeights(this.#width);
    this.#tables = [...rows.indices].map(([feature, indices]) => ({
      feature,
      indices,
      weights: new DescendingWeights(sizes.get(feature)! * this.#width),
    }));
    this.#columns = new Float64Array(rows.denseWidth);
    this.#answers = new Float64Array(this.#width);
  }

  step(row: number): void {
    const target = this.#rows.targets[row]!;
    this.#scaleColumns(row);
    this.#answer(row);
    if (!this.#slope(this.#answers, target)) return;
    const width = this.#width;
    for (let k = 0; k < width; k++) {
      const slope = this.#answers[k]!;
      this.#bias.descend(k, slope);
      for (let column = 0; column < this.#columns.length; column++) {
        const x = this.#columns[column]!;
        if (x !== 0) this.#kernel.descend(column * width + k, slope * x);
      }
      for (const { indices, weights } of this.#tables) weights.descend(indices[row]! * width + k, slope);
    }
  }

  #scaleColumns(row: number): void {
    const { dense, denseWidth } = this.#rows;
    const { mean } = this.#scale;
    for (let column = 0; column < denseWidth; column++) {
      this.#columns[column] = (dense[row * denseWidth + column]! - mean[column]!) * this.#factor[column]!;
    }
  }

  #answer(row: number): void {
    const width = this.#width;
    for (let k = 0; k < width; k++) {
      let sum = this.#bias.values[k]!;
      for (let column = 0; column < this.#columns.length; column++) {
        sum += this.#columns[column]! * this.#kernel.values[column * width + k]!;
      }
      for (const { indices, weights } of this.#tables) sum += weights.values[indices[row]! * width + k]!;
      this.#answers[k] = sum;
    }
  }

  /** Takes the present weights into the mean. */
  remember(): void {
    this.#kernel.remember();
    this.#bias.remember();
    for (const { weights } of this.#tables) weights.remember();
  }

  /** The model on columns that are not scaled. */
  model(): LinearModel {
    const width = this.#width;
    const kernel = this.#kernel.mean();
    const bias = this.#bias.mean();
    kernel.forEach((weight, i) => {
      const column = Math.floor(i / width);
      kernel[i] = weight * this.#factor[column]!;
      bias[i % width]! -= kernel[i] * this.#scale.mean[column]!;
    });
    const tables = new Map(this.#tables.map(({ feature, weights }) => [feature, weights.mean()]));
    return { kernel, bias, tables, width };
  }
}
