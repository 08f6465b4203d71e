import { definePipeline } from './define-pipeline.ts';
import { between, notNull, oneOf, predicate, rowCount, unique } from './expectations.ts';
import { boolean, categorical, crossed, numeric, timestamp } from './features.ts';
import { atLeast, atMost, decreasing, increasing, invariant, notWorse } from './gate.ts';
import { binary, multiclass, regression } from './labels.ts';
import { objectStore, parquet, postgres, predictionLog, query, stream } from './sources.ts';
import { custom, mlp } from './train.ts';

type FlightColumn = 'date' | 'delay' | 'distance' | 'origin' | 'destination';
const window = { train: '28d', validation: '2d', test: '1d' };
const untyped = { source: parquet('a.parquet'), time: 'date', window };
const typed = { source: parquet<FlightColumn>('a.parquet'), time: 'date', window } as const;
const base = { name: 'flight-delay', data: untyped, train: mlp() };
const late = binary('late', { from: 'delay > 15' });
const auc = { gate: notWorse({ metric: 'auc', margin: 0.01 }) };
const distance = { distance: numeric() };

// Metrics belong to the label's kind.
definePipeline({ ...base, label: late, features: distance, validate: auc });
definePipeline({
  ...base,
  label: regression('delay', { from: 'delay' }),
  features: distance,
  // @ts-expect-error a regression has no AUC
  validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }) },
});
definePipeline({
  ...base,
  label: multiclass('carrier', { from: 'carrier' }),
  features: distance,
  // @ts-expect-error several classes have no RMSE
  validate: { gate: notWorse({ metric: 'rmse', margin: 0.01 }) },
});
// @ts-expect-error there is no metric of that name
notWorse({ metric: 'f1', margin: 0.01 });

// So do the metrics of every rule; what else a limit may be about goes with any label.
const dataset = `sha256:${'a'.repeat(64)}`;
const delay = regression('delay', { from: 'delay' });
const binaryLimits = { ...base, label: late, features: distance };
definePipeline({
  ...binaryLimits,
  validate: {
    gate: [
      notWorse({ metric: 'auc', margin: 0.01, cluster: 'day' }),
      notWorse({ metric: 'logLoss', margin: 0.01 }),
      atLeast('auc', 0.6),
      atMost('calibrationError', 0.05),
      atMost('p99Milliseconds', 5),
      atMost('residentMegabytes', 400),
    ],
    inconclusive: 'release',
    goldenSets: [{ name: 'hurricane', dataset, margin: 0.02, limits: [atLeast('accuracy', 0.7)] }],
    checks: { 'label-leak': 'report' },
    testSet: { comparisons: 30 },
  },
});
definePipeline({
  ...binaryLimits,
  validate: {
    gate: [
      notWorse({ metric: 'auc', margin: 0.01 }),
      // @ts-expect-error a binary label has no RMSE
      notWorse({ metric: 'rmse', margin: 0.01 }),
    ],
  },
});
definePipeline({
  ...binaryLimits,
  validate: {
    gate: [
      notWorse({ metric: 'auc', margin: 0.01 }),
      // @ts-expect-error a binary label has no RMSE
      atMost('rmse', 5),
    ],
  },
});
definePipeline({
  ...base,
  label: delay,
  features: distance,
  validate: {
    gate: [notWorse({ metric: 'rmse', margin: 0.1 }), atMost('mae', 10)],
    // @ts-expect-error a regression has no accuracy
    goldenSets: [{ name: 'hurricane', dataset, limits: [atLeast('accuracy', 0.7)] }],
  },
});
definePipeline({
  ...binaryLimits,
  validate: {
    ...auc,
    // @ts-expect-error the latency of a golden set is no other than that of any rows
    goldenSets: [{ name: 'hurricane', dataset, limits: [atMost('p99Milliseconds', 5)] }],
  },
});
// @ts-expect-error there is no measure of that name
atMost('p95Milliseconds', 5);
// @ts-expect-error entities and days are what rows are gathered by
notWorse({ metric: 'auc', margin: 0.01, cluster: 'week' });
definePipeline({
  ...binaryLimits,
  // @ts-expect-error there is no check of that name
  validate: { ...auc, checks: { leak: 'report' } },
});
definePipeline({
  ...binaryLimits,
  // @ts-expect-error a check fails, reports or is off
  validate: { ...auc, checks: { 'label-leak': 'warn' } },
});
// @ts-expect-error there is no calibration of that name
mlp({ calibration: 'platt' });

// With unstated columns every name goes; with stated ones only those.
definePipeline({
  ...base,
  label: late,
  features: { anything: numeric() },
  validate: { ...auc, slices: ['whatever'] },
});
definePipeline({
  ...base,
  data: {
    ...typed,
    key: 'origin',
    expectations: [notNull('origin'), between('distance', 1), rowCount({ min: 1 })],
  },
  label: late,
  features: {
    distance: numeric(),
    far: boolean({ column: 'distance' }),
    origin: categorical({ minCount: 50 }),
    when: timestamp({ column: 'date', parts: ['hourOfDay'] }),
    route: crossed(['origin', 'destination'], { buckets: 4096 }),
  },
  validate: { ...auc, slices: ['origin'] },
});
definePipeline({
  ...base,
  data: typed,
  label: late,
  features: {
    // @ts-expect-error the source has no column `altitude`
    altitude: numeric(),
  },
  validate: auc,
});
definePipeline({
  ...base,
  data: typed,
  label: late,
  features: {
    // @ts-expect-error the source has no column `altitude`
    height: numeric({ column: 'altitude' }),
  },
  validate: auc,
});
definePipeline({
  ...base,
  data: typed,
  label: late,
  features: {
    // @ts-expect-error the source has no column `runway`
    route: crossed(['origin', 'runway'], { buckets: 64 }),
  },
  validate: auc,
});
definePipeline({
  ...base,
  data: typed,
  label: late,
  features: distance,
  // @ts-expect-error the source has no column `runway` to slice by
  validate: { ...auc, slices: ['runway'] },
});
definePipeline({
  ...base,
  data: typed,
  label: late,
  features: distance,
  // @ts-expect-error the source has no column `runway` to slice by
  validate: { ...auc, slices: { columns: ['origin', 'runway'], minRows: 500 } },
});
definePipeline({
  ...base,
  data: typed,
  label: late,
  features: distance,
  validate: {
    ...auc,
    slices: { columns: ['origin', 'destination'], pairs: false },
    behaviour: [increasing('distance', { by: 100 }), decreasing('distance'), invariant('origin')],
  },
});
definePipeline({
  ...base,
  data: typed,
  label: late,
  features: distance,
  // @ts-expect-error the source has no column `runway`
  validate: { ...auc, behaviour: [increasing('distance'), invariant('runway')] },
});
// @ts-expect-error what stays the same is not raised by anything
invariant('origin', { by: 1 });
definePipeline({
  ...base,
  // @ts-expect-error the source has no column `when`
  data: { ...typed, time: 'when' },
  label: late,
  features: distance,
  validate: auc,
});
definePipeline({
  ...base,
  data: {
    source: parquet<FlightColumn>('a.parquet'),
    time: 'date',
    window,
    expectations: [
      predicate('on time', 'delay < 15'),
      unique('date', 'origin'),
      // @ts-expect-error the source has no column `runway`
      oneOf('runway', [1, 2]),
    ],
  },
  label: late,
  features: distance,
  validate: auc,
});

// Features and options that do not exist.
// @ts-expect-error there is no scale of that name
numeric({ scale: 'robust' });
// @ts-expect-error there is no option of that name
categorical({ minimum: 5 });
// @ts-expect-error there is no part of that name
timestamp({ parts: ['second'] });
// @ts-expect-error one column cannot be crossed
crossed(['origin'], { buckets: 64 });
// @ts-expect-error there is no optimizer of that name
mlp({ optimizer: 'lion' });

// A network of the author's own sees only layers that can be exported.
custom(({ tf, inputs, embeddings, denseWidth, outputs }) => {
  const dense = tf.layers.dense({ units: denseWidth, activation: 'relu' });
  const tables = embeddings.map(({ feature, size, dimension }) => {
    const table = tf.layers.embedding({ inputDim: size, outputDim: dimension, name: feature });
    return tf.layers.flatten().apply(table.apply(inputs[feature]!));
  });
  const joined = tf.layers.concatenate().apply([dense.apply(inputs.dense!), ...tables]);
  // @ts-expect-error there is no export for convolutions
  void tf.layers.conv2d;
  return tf.model({
    inputs: [inputs.dense!],
    outputs: tf.layers.dense({ units: outputs, activation: 'sigmoid' }).apply(joined),
  });
});
// @ts-expect-error a network is a model, not a tensor
custom(({ inputs }) => inputs.dense);

// Sources that are no files.
definePipeline({
  ...base,
  data: {
    source: query(async function* ({ from, signal }) {
      signal.throwIfAborted();
      yield { at: from, distance: 3, late: true };
    }),
    // @ts-expect-error the function yields no `when`
    time: 'when',
    window,
  },
  label: late,
  features: distance,
  validate: auc,
});
definePipeline({
  ...base,
  data: {
    source: query(function* ({ from }) {
      yield { at: from, distance: 3, late: true };
    }),
    time: 'at',
    key: 'late',
    window,
    expectations: [notNull('distance')],
  },
  label: late,
  features: {
    distance: numeric(),
    // @ts-expect-error the function yields no `altitude`
    altitude: numeric(),
  },
  validate: auc,
});
// @ts-expect-error a value of a row is no list
query(function* () {
  yield { at: [1] };
});
definePipeline({
  ...base,
  data: { source: predictionLog<'distance'>('flight-delay'), time: 'time', key: 'key', window },
  label: binary('late', { from: 'label' }),
  features: distance,
  // @ts-expect-error the model has no such input
  validate: { ...auc, slices: ['origin'] },
});
definePipeline({
  ...base,
  data: { source: stream<'at' | 'distance'>('trips'), time: 'at', window },
  label: late,
  features: distance,
  validate: auc,
});
// @ts-expect-error a query needs its connection
postgres({ query: 'select 1' });
// @ts-expect-error there is no such format
objectStore({ bucket: 'trips', format: 'orc' });
