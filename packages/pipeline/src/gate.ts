import type { GateSpec, LabelKind, METRICS, Metric } from '@perennial/contract';

/** The metrics that a label of this kind has. */
export type MetricOf<Kind extends LabelKind> = (typeof METRICS)[Kind][number];

/** A gate on the metric `M`. */
export type GateOn<M extends Metric = Metric> = Omit<GateSpec, 'metric'> & { metric: M };

export interface NotWorseOptions<M extends Metric> {
  /** What is compared, on the newest rows (the test split). */
  metric: M;
  /** How much worse than the champion would still be no loss, in the metric's units. */
  margin: number;
  /**
   * How sure the gate must be, two-sided.
   * @default 0.95
   */
  confidence?: number;
  /**
   * Bootstrap replicates the interval is made of.
   * @default 1000
   */
  replicates?: number;
}

/** The candidate passes when it is shown to be worse than the champion by less than the margin. */
export function notWorse<const M extends Metric>(options: NotWorseOptions<M>): GateOn<M> {
  return { kind: 'notWorse', confidence: 0.95, replicates: 1000, ...options };
}
