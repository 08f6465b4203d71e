import { importanceSchema, type DatasetManifest, type FittedLabel, type Metric } from '@perennial/contract';
import { InferenceModel, type ColumnBatch } from '@perennial/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { RandomStream } from '../statistics/random.ts';
import {
  FLIGHT_ENCODER,
  flights,
  openFlightModel,
  sampleOf,
  type FlightWeights,
} from '../testing/flight-artifact.ts';
import {
  BINARY_LABEL,
  linearArtifact,
  linearManifest,
  REGRESSION_LABEL,
} from '../testing/linear-artifact.ts';
import { nextNormal } from '../testing/simulated-models.ts';
import { featureGroups } from './feature-groups.ts';
import { permutationImportance } from './permutation-importance.ts';

const opened: { release(): Promise<void> }[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.release();
});

const ROWS = 2_000;
const BATCH = flights(new RandomStream(['importance']), ROWS);
const distance = BATCH.columns['distance'] as Float64Array;
const origin = BATCH.columns['origin'] as string[];
const weekend = BATCH.columns['weekend'] as Float64Array;
/** What the labels follow from: the distance most, the origin less, and a weekend a little. */
const TRUTH = Float64Array.from(
  distance,
  (value, row) => 2 * value + (origin[row] === 'ORD' ? 1 : 0) + 0.2 * weekend[row]!,
);
const WEIGHTS: FlightWeights = [{ distance: 2, 'origin=ORD': 1, weekend: 0.2 }];

function manifestOf(label: FittedLabel, encoder = FLIGHT_ENCODER): DatasetManifest {
  return { ...linearManifest({ columns: ['distance'], label, rows: ROWS }), encoder };
}

async function importance(options: {
  metric: Metric;
  label?: FittedLabel;
  weights?: FlightWeights;
  labels?: Float64Array | string[];
  manifest?: DatasetManifest;
  signal?: AbortSignal;
}) {
  const { metric, label = BINARY_LABEL, weights = WEIGHTS, signal } = options;
  const model = await openFlightModel({ label, weights });
  opened.push(model.inference);
  const labels = options.labels ?? TRUTH.map((value) => (value > 0.5 ? 1 : 0));
  return await permutationImportance({
    model,
    sample: sampleOf(BATCH, labels),
    manifest: options.manifest ?? manifestOf(label),
    metric,
    ...(signal && { signal }),
  });
}

describe('permutation importance', () => {
  it('puts features in the order of what they matter, with intervals, and gives those that do not matter exactly 0', async () => {
    const found = await importance({ metric: 'auc' });
    for (const one of found) expect(importanceSchema.parse(one)).toEqual(one);
    // The route reads the origin too, and so moves what the origin moves.
    expect(found[0]!.feature).toBe('distance');
    expect(
      found
        .slice(1, 3)
        .map(({ feature }) => feature)
        .sort(),
    ).toEqual(['origin', 'route']);
    expect(found.map(({ value }) => value)).toEqual(found.map(({ value }) => value).sort((a, b) => b - a));
    const of = new Map(found.map((one) => [one.feature, one]));
    expect(of.get('weekend')!.value).toBeGreaterThan(0);
    expect(of.get('distance')!.interval.low).toBeGreaterThan(0.2);
    for (const idle of ['date', 'destination']) {
      expect(of.get(idle)).toEqual({
        feature: idle,
        value: 0,
        interval: { low: 0, high: 0, confidence: 0.9 },
      });
    }
  });

  it('is oriented so that more is more important, also where less of the metric is better', async () => {
    for (const metric of ['logLoss', 'brier', 'accuracy'] as const) {
      const found = await importance({ metric });
      expect(found[0]).toMatchObject({ feature: 'distance' });
      expect(found[0]!.value).toBeGreaterThan(0.05);
    }
    const found = await importance({ metric: 'rmse', label: REGRESSION_LABEL, labels: TRUTH });
    // Shuffled among rows of variance 1, a term of weight 2 costs √(2 · 2²); the model itself is exact.
    expect(found[0]!.feature).toBe('distance');
    expect(found[0]!.value).toBeCloseTo(Math.sqrt(8), 0);
    expect(found[0]!.interval.low).toBeLessThan(Math.sqrt(8));
    expect(found[0]!.interval.high).toBeGreaterThan(Math.sqrt(8));
  });

  it('measures models of many classes', async () => {
    const found = await importance({
      metric: 'accuracy',
      label: { kind: 'multiclass', name: 'arrival', classes: ['early', 'on time', 'late'] },
      weights: [{ distance: -3 }, {}, { distance: 3 }],
      labels: Array.from(distance, (value) => (value > 0.3 ? 'late' : value < -0.3 ? 'early' : 'on time')),
    });
    expect(found[0]!.feature).toBe('distance');
    expect(found[0]!.value).toBeGreaterThan(0.2);
  });

  it('lies within its interval nine times of ten, over many days of a feature whose importance is known', async () => {
    const columns = ['x', 'w'];
    const { artifact, bytes } = linearArtifact({ columns, label: REGRESSION_LABEL, weights: [[2, 1]] });
    const inference = await InferenceModel.load(bytes);
    opened.push(inference);
    const model = {
      artifact,
      signature: inference.signature,
      run: (batch: ColumnBatch) => inference.run(batch),
    };
    const rows = 200;
    const manifest = linearManifest({ columns, label: REGRESSION_LABEL, rows });
    let held = 0;
    for (let day = 0; day < 200; day++) {
      const random = new RandomStream(['importance', String(day)]);
      const [x, w] = columns.map(() => Float64Array.from({ length: rows }, () => nextNormal(random)));
      const labels = x!.map((value, row) => 2 * value + w![row]! + nextNormal(random));
      const sample = sampleOf({ rows, columns: { x: x!, w: w! } }, labels);
      const found = await permutationImportance({ model, sample, manifest, metric: 'rmse' });
      const { low, high } = found.find(({ feature }) => feature === 'x')!.interval;
      // Noise of variance 1, and two normal values of weight 2 that have nothing to do with each other: √(1 + 2 · 2²) − 1.
      if (low <= 2 && 2 <= high) held++;
    }
    // 180 of 200, and three standard errors either way.
    expect(held).toBeGreaterThan(167);
    expect(held).toBeLessThan(193);
  });

  it('is the same every time', async () => {
    expect(await importance({ metric: 'auc' })).toEqual(await importance({ metric: 'auc' }));
  });

  it('is empty where the metric is undefined, and without rows', async () => {
    expect(await importance({ metric: 'auc', labels: new Float64Array(ROWS) })).toEqual([]);
    const model = await openFlightModel({ label: BINARY_LABEL, weights: WEIGHTS });
    opened.push(model.inference);
    const sample = sampleOf(flights(new RandomStream(['none']), 0));
    expect(
      await permutationImportance({ model, sample, manifest: manifestOf(BINARY_LABEL), metric: 'auc' }),
    ).toEqual([]);
  });

  it('leaves out a feature that the model does not take', async () => {
    const carrier = {
      columns: [...FLIGHT_ENCODER.columns, { name: 'carrier', type: 'text' as const }],
      features: [
        ...FLIGHT_ENCODER.features,
        {
          kind: 'categorical' as const,
          name: 'carrier',
          column: 'carrier',
          vocabulary: ['AA'],
          encoding: { kind: 'oneHot' as const },
        },
      ],
    };
    const found = await importance({ metric: 'auc', manifest: manifestOf(BINARY_LABEL, carrier) });
    expect(found.map(({ feature }) => feature)).not.toContain('carrier');
    expect(found).toHaveLength(FLIGHT_ENCODER.features.length);
  });

  it('stops when told', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(importance({ metric: 'auc', signal })).rejects.toThrow('enough');
  });
});

describe('featureGroups', () => {
  it('joins features that read the same columns, and keeps those apart that share only some', () => {
    const [number] = FLIGHT_ENCODER.features;
    const far = { ...number!, name: 'far' };
    const groups = featureGroups([...FLIGHT_ENCODER.features, far]);
    expect(groups).toEqual([
      { name: 'distance, far', columns: ['distance'] },
      { name: 'weekend', columns: ['weekend'] },
      { name: 'date', columns: ['date'] },
      { name: 'origin', columns: ['origin'] },
      { name: 'destination', columns: ['destination'] },
      { name: 'route', columns: ['destination', 'origin'] },
    ]);
  });
});
