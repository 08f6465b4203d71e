import { pipelineSpecSchema } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definePipeline, isPipelineDefinition } from './define-pipeline.ts';
import type { PipelineInput } from './definition.ts';
import { PipelineInvalidError } from './errors.ts';
import { between, matches, notNull, oneOf, predicate, rowCount, unique } from './expectations.ts';
import { boolean, categorical, crossed, numeric, timestamp } from './features.ts';
import { notWorse } from './gate.ts';
import { binary, multiclass, regression } from './labels.ts';
import { csv, json, parquet } from './sources.ts';
import { custom, mlp, type TrainFunction } from './train.ts';

const smallest = {
  name: 'flight-delay',
  data: {
    source: parquet('flights.parquet'),
    time: 'date',
    window: { train: '28d', validation: '2d', test: '1d' },
  },
  label: binary('late', { from: 'delay > 15' }),
  features: { distance: numeric() },
  train: mlp(),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.005 }) },
} satisfies PipelineInput;

describe('definePipeline', () => {
  it('fills in every default', () => {
    expect(definePipeline(smallest)).toEqual({
      spec: {
        name: 'flight-delay',
        owners: [],
        limitations: [],
        triggers: {},
        limits: { whenBusy: 'wait' },
        steps: {
          data: { timeout: '1h', attempts: 3, backoff: '5s' },
          training: { timeout: '12h', attempts: 3, backoff: '10s' },
          validation: { timeout: '1h', attempts: 3, backoff: '5s' },
        },
        data: {
          source: { kind: 'parquet', paths: ['flights.parquet'] },
          time: 'date',
          window: { train: '28d', validation: '2d', test: '1d' },
          expectations: [],
        },
        label: { kind: 'binary', name: 'late', from: 'delay > 15', threshold: 0.5 },
        features: {
          distance: {
            kind: 'numeric',
            column: 'distance',
            impute: 'mean',
            missingIndicator: false,
            log: false,
            scale: 'standard',
          },
        },
        train: {
          kind: 'mlp',
          hidden: [64, 32],
          activation: 'relu',
          dropout: 0,
          batchNormalization: false,
          epochs: 5,
          batchSize: 1024,
          learningRate: 0.001,
          optimizer: 'adam',
          calibration: 'none',
          seed: 1,
          timeout: '1h',
        },
        validate: {
          gate: {
            comparisons: [
              { kind: 'notWorse', metric: 'auc', margin: 0.005, confidence: 0.95, replicates: 1000 },
            ],
            limits: [],
            inconclusive: 'hold',
          },
          slices: { columns: [], pairs: true, minRows: 200 },
          goldenSets: [],
          behaviour: [],
          checks: {},
          testSet: { comparisons: 10 },
        },
        release: { approval: 'automatic' },
        serving: { modes: ['online'] },
      },
      functions: {},
    });
  });

  it('keeps everything that the author says', () => {
    const { spec } = definePipeline({
      ...smallest,
      description: 'Whether a flight leaves late.',
      owners: ['operations'],
      intendedUse: 'Planning.',
      limitations: ['Knows no weather.'],
      schedule: { cron: '0 3 * * *', timezone: 'America/Chicago' },
      data: {
        ...smallest.data,
        source: csv(['a/*.csv', 'b.csv'], { delimiter: ';', types: { date: 'TIMESTAMP' } }),
        key: 'id',
        expectations: [
          notNull('origin'),
          between('distance', 10, 6000),
          between('delay', undefined, 900),
          oneOf('origin', ['ATL', 'LAX']),
          matches('tail', /N[0-9]+/),
          unique('id', 'date'),
          rowCount({ min: 10 }),
          predicate('leaves first', 'departure < arrival'),
        ],
      },
      label: multiclass('carrier', { from: 'carrier', classes: ['AA', 'UA'] }),
      features: {
        far: numeric({ column: 'distance', clip: { min: 0 }, log: true, scale: 'minMax', impute: 0 }),
        international: boolean(),
        origin: categorical({ minCount: 50, encoding: { kind: 'embedding', dimension: 8 } }),
        route: crossed(['origin', 'destination'], { buckets: 4096, encoding: 'oneHot' }),
        date: timestamp({ parts: ['month'], cyclic: false }),
      },
      train: mlp({ hidden: [], warmStart: true, patience: 2 }),
      validate: { gate: notWorse({ metric: 'macroF1', margin: 0.01, confidence: 0.9 }), slices: ['origin'] },
      release: { approval: 'required', approvers: 2, expires: '3d' },
      serving: { modes: ['online', 'offline'] },
    });
    expect(spec.schedule).toEqual({ cron: '0 3 * * *', timezone: 'America/Chicago', catchUp: 'latest' });
    expect(spec.data.source).toEqual({
      kind: 'csv',
      paths: ['a/*.csv', 'b.csv'],
      delimiter: ';',
      header: true,
      types: { date: 'TIMESTAMP' },
    });
    expect(spec.data.expectations.map(({ kind }) => kind)).toEqual([
      'notNull',
      'between',
      'between',
      'oneOf',
      'matches',
      'unique',
      'rowCount',
      'predicate',
    ]);
    expect(spec.data.expectations[2]).toEqual({ kind: 'between', column: 'delay', max: 900 });
    expect(spec.features['far']).toMatchObject({ column: 'distance', clip: { min: 0 }, impute: 0 });
    expect(spec.features['international']).toEqual({ kind: 'boolean', column: 'international' });
    expect(spec.features['route']).toMatchObject({
      columns: ['origin', 'destination'],
      encoding: { kind: 'oneHot' },
    });
    expect(spec.train).toMatchObject({ hidden: [], warmStart: { epochs: 1 }, patience: 2 });
    expect(pipelineSpecSchema.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  it('takes a schedule as cron text in UTC', () => {
    const { spec } = definePipeline({ ...smallest, schedule: '0 3 * * *' });
    expect(spec.schedule).toEqual({ cron: '0 3 * * *', timezone: 'UTC', catchUp: 'latest' });
  });

  it('takes a network of the author’s own, with and without options', () => {
    const build: TrainFunction = () => {
      throw new Error('not called here');
    };
    const bare = definePipeline({ ...smallest, train: build });
    expect(bare.functions.train).toBe(build);
    expect(bare.spec.train).toMatchObject({ kind: 'custom', epochs: 5 });
    const tuned = definePipeline({
      ...smallest,
      train: custom(build, { epochs: 9, warmStart: { epochs: 2 } }),
    });
    expect(tuned.functions.train).toBe(build);
    expect(tuned.spec.train).toMatchObject({ kind: 'custom', epochs: 9, warmStart: { epochs: 2 } });
  });

  it('is recognised, and what merely looks like it is not', () => {
    const definition = definePipeline({ ...smallest, data: { ...smallest.data, source: json('a.json') } });
    expect(isPipelineDefinition(definition)).toBe(true);
    expect(isPipelineDefinition({ ...definition })).toBe(false);
    expect(isPipelineDefinition(null)).toBe(false);
  });
});

/** The issues of an input that breaks its type, as a JavaScript author's may. */
function issuesOf(input: unknown) {
  try {
    definePipeline(input as typeof smallest);
  } catch (error) {
    if (error instanceof PipelineInvalidError) return error.issues;
    throw error;
  }
  return [];
}

describe('an invalid definition', () => {
  const { data, validate } = smallest;
  it.each([
    ['the name', { ...smallest, name: 'Flight Delay' }, 'name', 'lower-case letters'],
    [
      'a duration',
      { ...smallest, data: { ...data, window: { ...data.window, train: '28 days' } } },
      'data.window.train',
      '28d',
    ],
    ['an unknown field', { ...smallest, modle: 1 }, '', "no field 'modle'; its fields are name"],
    ['a missing part', { ...smallest, label: undefined }, 'label', 'missing'],
    [
      'a feature’s option',
      { ...smallest, features: { distance: { ...numeric(), scale: 'robust' } } },
      'features.distance.scale',
      "'standard', 'minMax', 'none'",
    ],
    [
      'a feature’s unknown option',
      { ...smallest, features: { distance: { ...numeric(), mean: 1 } } },
      'features.distance',
      'its fields are kind, column, impute',
    ],
    [
      'a feature’s kind',
      { ...smallest, features: { distance: { kind: 'image' } } },
      'features.distance.kind',
      "'numeric', 'boolean', 'categorical', 'timestamp', 'crossed'",
    ],
    [
      'a feature’s name',
      { ...smallest, features: { 'my distance': numeric() } },
      'features.my distance',
      'identifier',
    ],
    [
      'an impute',
      { ...smallest, features: { distance: { ...numeric(), impute: 'mode' } } },
      'features.distance.impute',
      '"mean"|"median"',
    ],
    ['no feature', { ...smallest, features: {} }, 'features', 'at least one'],
    [
      'a feature named as the label',
      { ...smallest, features: { late: numeric() } },
      'features.late',
      'name of the label',
    ],
    [
      'a reserved feature name',
      { ...smallest, features: { dense: numeric() } },
      'features.dense',
      'reserved',
    ],
    [
      'a reserved column',
      { ...smallest, features: { x: numeric({ column: '__LABEL' }) } },
      'features.x',
      "'__LABEL'",
    ],
    [
      'a clip upside down',
      { ...smallest, features: { x: numeric({ clip: { min: 2, max: 1 } }) } },
      'features.x.clip',
      '2 is above 1',
    ],
    [
      'a column crossed with itself',
      { ...smallest, features: { x: crossed(['a', 'a'], { buckets: 9 }) } },
      'features.x.columns',
      "'a' twice",
    ],
    [
      'a repeated timestamp part',
      { ...smallest, features: { x: timestamp({ parts: ['month', 'month'] }) } },
      'features.x.parts',
      "'month' twice",
    ],
    [
      'a metric of another label',
      { ...smallest, validate: { gate: notWorse({ metric: 'rmse', margin: 1 }) } },
      'validate.gate.metric',
      "'auc', 'logLoss', 'accuracy', 'brier' for a binary label",
    ],
    [
      'a confidence of percents',
      { ...smallest, validate: { gate: { ...validate.gate, confidence: 95 } } },
      'validate.gate.confidence',
      '<1',
    ],
    [
      'a repeated slice',
      { ...smallest, validate: { ...validate, slices: ['a', 'a'] } },
      'validate.slices',
      "'a' twice",
    ],
    [
      'a range without limits',
      { ...smallest, data: { ...data, expectations: [between('a', undefined)] } },
      'data.expectations[0]',
      'a min, a max or both',
    ],
    [
      'an expectation’s unknown field',
      { ...smallest, data: { ...data, expectations: [{ ...notNull('a'), columns: [] }] } },
      'data.expectations[0]',
      'its fields are kind, column',
    ],
    [
      'a repeated class',
      {
        ...smallest,
        label: multiclass('x', { from: 'y', classes: ['a', 'a'] }),
        validate: { gate: notWorse({ metric: 'accuracy', margin: 0.1 }) },
      },
      'label.classes',
      "'a' twice",
    ],
    ['a cron expression', { ...smallest, schedule: 'daily' }, 'schedule.cron', '5 or 6 fields'],
    [
      'a time zone',
      { ...smallest, schedule: { cron: '0 3 * * *', timezone: 'Chicago' } },
      'schedule.timezone',
      'America/Chicago',
    ],
    ['a training option', { ...smallest, train: { ...mlp(), epochs: 0 } }, 'train.epochs', '>=1'],
    [
      'a label of an unknown metric kind',
      { ...smallest, label: regression('x', { from: 'y' }) },
      'validate.gate.metric',
      'regression label',
    ],
    ['something else altogether', 'flight-delay', '', 'expected object'],
  ])('is refused by field: %s', (...[, input, path, message]) => {
    const issues = issuesOf(input);
    expect(issues).toHaveLength(1);
    expect(issues[0]?.path).toBe(path);
    expect(issues[0]?.message).toContain(message);
  });

  it('asks for one approver, whose word holds for a week, unless it says otherwise', () => {
    const released = (release: Parameters<typeof definePipeline>[0]['release']) =>
      definePipeline({ ...smallest, release: release! }).spec.release;
    expect(released({ approval: 'required' })).toEqual({ approval: 'required', approvers: 1, expires: '7d' });
    expect(released({ approval: 'required', approvers: 2 })).toEqual({
      approval: 'required',
      approvers: 2,
      expires: '7d',
    });
    expect(released({ approval: 'automatic' })).toEqual({ approval: 'automatic' });
  });

  it.each([
    [{ approval: 'required', approvers: 0 }, 'release.approvers'],
    [{ approval: 'required', approvers: 11 }, 'release.approvers'],
    [{ approval: 'required', expires: 'soon' }, 'release.expires'],
    [{ approval: 'automatic', approvers: 1 }, 'release'],
  ])('refuses the release policy %j', (release, path) => {
    expect(issuesOf({ ...smallest, release }).map((issue) => issue.path)).toEqual([
      expect.stringContaining(path),
    ]);
  });

  it('says everything that is wrong at once, with the pipeline’s name', () => {
    const broken = { ...smallest, release: { approval: 'maybe' }, serving: { modes: [] } };
    expect(() => definePipeline(broken as unknown as typeof smallest)).toThrow(
      "The pipeline 'flight-delay' is not valid. release.approval: must be one of 'automatic', 'required'; serving.modes: ",
    );
  });

  it('cannot keep answers or rows of entities that it does not name', () => {
    const cache = { features: { maxAge: '1h' } };
    expect(() => definePipeline({ ...smallest, serving: { modes: ['online', 'offline'], cache } })).toThrow(
      "serving.modes: 'offline' needs the key of an entity: name its column in data.key; serving.cache.features: needs the key of an entity: name its column in data.key",
    );
    const data = { ...smallest.data, key: 'id' };
    expect(
      definePipeline({ ...smallest, data, serving: { modes: ['offline'], cache } }).spec.serving,
    ).toEqual({
      modes: ['offline'],
      cache,
    });
  });

  it('never ends in another error, whatever it is', () => {
    const field = fc.constantFrom(...Object.keys(smallest));
    fc.assert(
      fc.property(field, fc.anything(), (name, value) => {
        expect(() => issuesOf({ ...smallest, [name]: value })).not.toThrow();
      }),
    );
  });
});
