import type { CategoryEncoding, FeatureSpec, TimestampPart } from '@perennial/contract';

type SpecOf<Kind extends FeatureSpec['kind']> = Extract<FeatureSpec, { kind: Kind }>;
type SingleKind = Exclude<FeatureSpec['kind'], 'crossed'>;

/** A feature of one column; `Column` is undefined where the feature's own name is the column's. */
export type ColumnFeature<Column extends string | undefined = string | undefined> = {
  [Kind in SingleKind]: Omit<SpecOf<Kind>, 'column'> & { column: Column };
}[SingleKind];

/** A feature of two to four columns together. */
export type CrossedFeature<Column extends string = string> = Omit<SpecOf<'crossed'>, 'columns'> & {
  columns: CrossedColumns<Column>;
};
export type CrossedColumns<Column extends string> =
  [Column, Column] | [Column, Column, Column] | [Column, Column, Column, Column];

export type FeatureDefinition = ColumnFeature | CrossedFeature;

/** What a feature called `Name` may be over a source with these columns. */
export type FeatureOn<Name, Column extends string> =
  ColumnFeature<Column> | CrossedFeature<Column> | (Name extends Column ? ColumnFeature<undefined> : never);

interface ColumnOption<Column extends string | undefined> {
  /** The source's column; the feature's own name when absent. */
  column?: Column;
}

export interface NumericOptions<Column extends string | undefined> extends ColumnOption<Column> {
  /**
   * What stands for a missing value: the training rows' mean or median, or a number.
   * @default 'mean'
   */
  impute?: 'mean' | 'median' | number;
  /**
   * Brings the values to a like size: `standard` to mean 0 and deviation 1, `minMax` to 0…1 over the training rows.
   * @default 'standard'
   */
  scale?: 'standard' | 'minMax' | 'none';
  /** Values beyond are taken as the limit. Applied before the logarithm. */
  clip?: { min?: number; max?: number };
  /**
   * Takes sign(x) · ln(1 + |x|), for values that span magnitudes.
   * @default false
   */
  log?: boolean;
  /**
   * Adds a column that is 1 where the value was missing.
   * @default false
   */
  missingIndicator?: boolean;
}

/** A number. Steps in order: impute, clip, log, scale. */
export function numeric<const Column extends string | undefined = undefined>(
  options: NumericOptions<Column> = {},
): ColumnFeature<Column> {
  return {
    kind: 'numeric',
    impute: 'mean',
    scale: 'standard',
    log: false,
    missingIndicator: false,
    ...options,
    column: options.column as Column,
  };
}

/** True or false. */
export function boolean<const Column extends string | undefined = undefined>(
  options: ColumnOption<Column> = {},
): ColumnFeature<Column> {
  return { kind: 'boolean', ...options, column: options.column as Column };
}

/** `embedding` is `{ kind: 'embedding' }`, its dimension chosen from the vocabulary's size. */
export type EncodingOption = 'embedding' | 'oneHot' | CategoryEncoding;

export interface CategoricalOptions<Column extends string | undefined> extends ColumnOption<Column> {
  /**
   * Categories seen fewer times in the training rows count as out of vocabulary.
   * @default 1
   */
  minCount?: number;
  /**
   * The most frequent this many are kept.
   * @default 10000
   */
  maxSize?: number;
  /** @default 'embedding' */
  encoding?: EncodingOption;
}

/** One of many values: text, whole numbers or booleans. */
export function categorical<const Column extends string | undefined = undefined>(
  options: CategoricalOptions<Column> = {},
): ColumnFeature<Column> {
  return {
    kind: 'categorical',
    minCount: 1,
    maxSize: 10_000,
    ...options,
    encoding: encodingOf(options.encoding),
    column: options.column as Column,
  };
}

export interface TimestampOptions<Column extends string | undefined> extends ColumnOption<Column> {
  /**
   * What is taken of the instant, in UTC.
   * @default ['hourOfDay', 'dayOfWeek']
   */
  parts?: TimestampPart[];
  /**
   * Sine and cosine of each part's place in its period, so that 23:59 is next to 00:00; otherwise its place as a number in [0, 1).
   * @default true
   */
  cyclic?: boolean;
}

/** An instant: what hour, what day. */
export function timestamp<const Column extends string | undefined = undefined>(
  options: TimestampOptions<Column> = {},
): ColumnFeature<Column> {
  return {
    kind: 'timestamp',
    parts: ['hourOfDay', 'dayOfWeek'],
    cyclic: true,
    ...options,
    column: options.column as Column,
  };
}

export interface CrossedOptions {
  /** Combinations are hashed into this many buckets; exact where they all fit. */
  buckets: number;
  /**
   * A column's values seen fewer times in the training rows count as out of vocabulary.
   * @default 1
   */
  minCount?: number;
  /** @default 'embedding' */
  encoding?: EncodingOption;
}

/** Two to four categories as one: a route is an origin and a destination. */
export function crossed<const Column extends string>(
  columns: CrossedColumns<Column>,
  options: CrossedOptions,
): CrossedFeature<Column> {
  return { kind: 'crossed', minCount: 1, ...options, encoding: encodingOf(options.encoding), columns };
}

function encodingOf(option: EncodingOption = 'embedding'): CategoryEncoding {
  return typeof option === 'string' ? { kind: option } : option;
}
