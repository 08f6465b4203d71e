import type {
  BehaviourSpec,
  LabelKind,
  LimitSpec,
  MEASURES,
  METRICS,
  Measure,
  Metric,
  NotWorseSpec,
} from '@perennial/contract';

/** The metrics that a label of this kind has. */
export type MetricOf<Kind extends LabelKind> = (typeof METRICS)[Kind][number];

/** What a limit may be about, beside metrics. */
export type OtherMeasure = (typeof MEASURES)[number];

/** A comparison with the champion by the metric `M`. */
export type ComparisonOn<M extends Metric = Metric> = Omit<NotWorseSpec, 'metric'> & { metric: M };

/** A floor or a ceiling of the measure `M`. */
export type LimitOn<M extends Measure = Measure> = Omit<LimitSpec, 'measure'> & { measure: M };

/** One rule of a gate of a label that has the metrics `M`. */
export type GateRule<M extends Metric = Metric> = ComparisonOn<M> | LimitOn<M | OtherMeasure>;

export interface NotWorseOptions<M extends Metric> {
  /** What is compared, on the newest rows (the test split). */
  metric: M;
  /** How much worse than the champion would still be no loss, in the metric's units. */
  margin: number;
  /**
   * How sure the gate must be, one-sided: a candidate that is worse by the margin passes at most once in twenty at 0.95.
   * @default 0.95
   */
  confidence?: number;
  /**
   * Bootstrap replicates the interval is made of.
   * @default 1000
   */
  replicates?: number;
  /** What belongs together and is resampled as one: the rows of an entity (`data.key`) or of a day. Absent: each row by itself. */
  cluster?: NotWorseSpec['cluster'];
}

/** The candidate passes when it is shown to be worse than the champion by less than the margin. */
export function notWorse<const M extends Metric>(options: NotWorseOptions<M>): ComparisonOn<M> {
  return { kind: 'notWorse', confidence: 0.95, replicates: 1000, ...options };
}

/** The candidate's measure must be at least this, whatever the champion's is. */
export function atLeast<const M extends Measure>(measure: M, value: number): LimitOn<M> {
  return { kind: 'atLeast', measure, value };
}

/** The candidate's measure must be at most this: `atMost('p99Milliseconds', 5)`. */
export function atMost<const M extends Measure>(measure: M, value: number): LimitOn<M> {
  return { kind: 'atMost', measure, value };
}

/** How the parts of the rows are looked at. */
export interface SlicesInput<Column extends string> {
  columns: Column[];
  /**
   * Pairs of the columns' values too.
   * @default true
   */
  pairs?: boolean;
  /**
   * A slice of fewer test rows is counted, and not judged. At least 50.
   * @default 200
   */
  minRows?: number;
  /** How much worse a slice may be than it is with the champion. @default the primary comparison's margin */
  margin?: number;
}

/** A fixed dataset version (its digest) whose test rows every candidate must pass too. */
export interface GoldenSetInput<M extends Metric = Metric> {
  name: string;
  dataset: string;
  /** @default the primary comparison's margin */
  margin?: number;
  /** @default [] */
  limits?: LimitOn<M>[];
}

/** A {@link BehaviourSpec} about the column `Column`. */
export type BehaviourOn<Column extends string> = BehaviourSpec & { column: Column };

export interface BehaviourOptions {
  /**
   * By how much the answer may move the wrong way, in its units.
   * @default 0
   */
  tolerance?: number;
  /**
   * Share of rows that may break it, 0 to 1.
   * @default 0
   */
  allow?: number;
}

/** Another value of the column does not change the answer. */
export function invariant<const Column extends string>(
  column: Column,
  options: BehaviourOptions = {},
): BehaviourOn<Column> {
  return { kind: 'invariant', column, tolerance: 0, allow: 0, ...options };
}

export interface DirectionOptions extends BehaviourOptions {
  /** By how much the column is raised, in its units. @default half a standard deviation of the test rows */
  by?: number;
}

/** More of the column never lowers the answer: of a binary label its probability, of a regression its value. */
export function increasing<const Column extends string>(
  column: Column,
  options: DirectionOptions = {},
): BehaviourOn<Column> {
  return { kind: 'increasing', column, tolerance: 0, allow: 0, ...options };
}

/** More of the column never raises the answer. */
export function decreasing<const Column extends string>(
  column: Column,
  options: DirectionOptions = {},
): BehaviourOn<Column> {
  return { kind: 'decreasing', column, tolerance: 0, allow: 0, ...options };
}
