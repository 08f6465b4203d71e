/** Some rows' logits and what they ought to say. */
export interface LabelledLogits {
  /** Row-major `[rows, width]`; of a binary label one number a row. */
  logits: Float32Array;
  width: number;
  /** One a row: 0 or 1 of a binary label, the class's position otherwise; rows below 0 are left out. */
  targets: Float32Array;
}

/** Between these the temperature is looked for: where the rows are told apart without an error, it would go to 0. */
const LOWEST = 0.05;
const HIGHEST = 20;
const STEPS = 50;

/**
 * The temperature by which logits are to be divided for the least log loss. In its inverse the loss is convex, so its slope has at most one zero,
 * which is found by Newton's steps kept inside a bracket.
 *
 * @see Guo et al., "On Calibration of Modern Neural Networks", 2017, https://arxiv.org/abs/1706.04599
 */
export function fitTemperature(rows: LabelledLogits): number {
  const slopeAt = rows.width === 1 ? binarySlope : multiclassSlope;
  let [low, high] = [1 / HIGHEST, 1 / LOWEST];
  let inverse = 1;
  for (let step = 0; step < STEPS; step++) {
    const { slope, curvature } = slopeAt(rows, inverse);
    if (slope > 0) high = inverse;
    else low = inverse;
    const newton = inverse - slope / curvature;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - inverse) <= 1e-9 * inverse) break;
    inverse = next;
  }
  return 1 / inverse;
}

/** First and second derivative of the rows' log loss by the inverse temperature. */
interface Slope {
  slope: number;
  curvature: number;
}

function binarySlope({ logits, targets }: LabelledLogits, inverse: number): Slope {
  let [slope, curvature] = [0, 0];
  for (let row = 0; row < targets.length; row++) {
    const logit = logits[row]!;
    const probability = sigmoid(logit * inverse);
    slope += (probability - targets[row]!) * logit;
    curvature += probability * (1 - probability) * logit * logit;
  }
  return { slope, curvature };
}

function multiclassSlope({ logits, targets, width }: LabelledLogits, inverse: number): Slope {
  let [slope, curvature] = [0, 0];
  for (let row = 0; row < targets.length; row++) {
    const target = targets[row]!;
    if (target < 0) continue;
    const own = logits.subarray(row * width, (row + 1) * width);
    const probabilities = softmax(own, inverse);
    let [mean, meanSquare] = [0, 0];
    for (let k = 0; k < width; k++) {
      mean += probabilities[k]! * own[k]!;
      meanSquare += probabilities[k]! * own[k]! ** 2;
    }
    slope += mean - own[target]!;
    curvature += Math.max(0, meanSquare - mean * mean);
  }
  return { slope, curvature };
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Probabilities of one row's logits, each times `factor`. */
export function softmax(logits: Float32Array, factor: number): Float64Array {
  let highest = -Infinity;
  for (const logit of logits) highest = Math.max(highest, logit);
  const powers = Float64Array.from(logits, (logit) => Math.exp((logit - highest) * factor));
  let sum = 0;
  for (const power of powers) sum += power;
  for (let k = 0; k < powers.length; k++) powers[k]! /= sum;
  return powers;
}

/** Probabilities of rows of logits at a temperature, row-major. */
export function atTemperature(logits: Float32Array, width: number, temperature: number): Float32Array {
  if (width === 1) return logits.map((logit) => sigmoid(logit / temperature));
  const probabilities = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += width) {
    probabilities.set(softmax(logits.subarray(from, from + width), 1 / temperature), from);
  }
  return probabilities;
}
