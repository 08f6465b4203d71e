import type { FittedLabel } from '@perennial/contract';
import type { WeightTensor } from '@perennial/onnx';
import type { AxisMap } from './carry.ts';
import type { Unit } from './units.ts';

/** A dense layer's weights, changed in place. */
export interface DenseWeights {
  kernel: WeightTensor;
  bias: WeightTensor | undefined;
}

/**
 * Undoes what a new mean and standard deviation of a numeric feature do to a carried dense layer. The layer knew (v − c₁) / s₁ and now
 * reads x = (v − c₂) / s₂; with w · s₂ / s₁ for its weight and w · (c₂ − c₁) / s₁ added to the bias it answers as before. Clipping and what
 * stands for a missing value may differ a little still, which the fit evens out.
 */
export function followInputs(
  { kernel, bias }: DenseWeights,
  reads: { now: Unit[]; before: Unit[]; rows: AxisMap },
): void {
  const width = kernel.shape[1]!;
  reads.rows.forEach((place, row) => {
    const now = reads.now[row]!.numeric;
    const before = place < 0 ? undefined : reads.before[place]!.numeric;
    if (now === undefined || before === undefined) return;
    const factor = now.scale / before.scale;
    const shift = (now.center - before.center) / before.scale;
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      const weight = kernel.data[at]!;
      kernel.data[at] = weight * factor;
      if (bias !== undefined) bias.data[column]! += weight * shift;
    }
  });
}

/** Keeps a regression's carried head on the values it knew: it gave (y − c₁) / s₁ and is now asked for (y − c₂) / s₂. */
export function followLabel({ kernel, bias }: DenseWeights, now: FittedLabel, before: FittedLabel): void {
  if (now.kind !== 'regression' || before.kind !== 'regression') return;
  const factor = before.scale / now.scale;
  const shift = (before.center - now.center) / now.scale;
  kernel.data.forEach((weight, i) => (kernel.data[i] = weight * factor));
  bias?.data.forEach((weight, i) => (bias.data[i] = weight * factor + shift));
}
