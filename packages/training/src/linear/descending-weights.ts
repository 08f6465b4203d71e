/** Size of a weight's first step. */
const STEP = 0.1;

/** Weights that go down their loss by AdaGrad's steps: each is divided by the root of its gradients' squares so far. */
export class DescendingWeights {
  readonly values: Float64Array;
  readonly #squares: Float64Array;
  readonly #sums: Float64Array;
  #remembered = 0;

  constructor(count: number) {
    this.values = new Float64Array(count);
    // Keeps a gradient of 0 from being divided by 0.
    this.#squares = new Float64Array(count).fill(1e-12);
    this.#sums = new Float64Array(count);
  }

  descend(index: number, gradient: number): void {
    const squares = this.#squares[index]! + gradient * gradient;
    this.#squares[index] = squares;
    this.values[index]! -= (STEP * gradient) / Math.sqrt(squares);
  }

  /** Takes the present values into the mean. */
  remember(): void {
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i]! += this.values[i]!;
    this.#remembered += 1;
  }

  /** The mean of what was remembered; the present values where nothing was. */
  mean(): Float64Array {
    const { values } = this;
    return this.#remembered === 0 ? values.slice() : this.#sums.map((sum) => sum / this.#remembered);
  }
}
