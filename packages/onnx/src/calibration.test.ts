import type { Calibration, FittedLabel } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from './artifact.ts';
import { ArtifactInvalidError, UnsupportedLayerError } from './errors.ts';
import { InferenceModel } from './inference-model.ts';
import type { NetworkGraph, NetworkLayer } from './network.ts';
import { NETWORK_ENCODER, NETWORK_INPUTS } from './testing/networks.ts';

const BINARY: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.3 };
const MULTICLASS: FittedLabel = { kind: 'multiclass', name: 'cause', classes: ['x', 'y', 'z'] };

/** A network that passes the column `a` on as its first logit, and as the second and third its negative and its double. */
function passing(width: number, activation: 'sigmoid' | 'softmax' | 'hardSigmoid' | 'linear'): NetworkGraph {
  const data = Float32Array.from([1, -1, 2].slice(0, width).concat(new Array<number>(width).fill(0)));
  const layer: NetworkLayer = {
    name: 'out',
    inputs: ['dense'],
    kind: 'dense',
    kernel: { shape: [2, width], data },
    activation,
  };
  return { inputs: NETWORK_INPUTS, layers: [layer], output: 'out' };
}

interface Case {
  network: NetworkGraph;
  label: FittedLabel;
  calibration?: Calibration;
}

function written({ network, label, calibration }: Case): Uint8Array {
  const options = calibration === undefined ? {} : { calibration };
  return writeArtifact({ encoder: NETWORK_ENCODER, network, label, properties: {}, ...options });
}

async function answers(artifact: Case, logits: readonly number[]) {
  const model = await InferenceModel.load(written(artifact));
  const columns = {
    a: Float64Array.from(logits),
    b: new Float64Array(logits.length),
    c: logits.map(() => ''),
  };
  const output = await model.run({ rows: logits.length, columns });
  await model.release();
  return output;
}

async function binaryAnswers(calibration: Calibration, logits: readonly number[]) {
  const output = await answers({ network: passing(1, 'sigmoid'), label: BINARY, calibration }, logits);
  if (output.kind !== 'binary') throw new TypeError(`The label is binary, the output ${output.kind}.`);
  return output;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function interpolated(points: readonly [number, number][], p: number): number {
  const next = points.findIndex(([x]) => x >= p);
  if (next === -1) return points.at(-1)![1];
  if (next === 0) return points[0]![1];
  const [[x0, y0], [x1, y1]] = [points[next - 1]!, points[next]!];
  return y0 + ((p - x0) / (x1 - x0)) * (y1 - y0);
}

/** Points that rise, as a fit makes them. */
const risingPoints: fc.Arbitrary<[number, number][]> = fc.integer({ min: 2, max: 64 }).chain((count) => {
  const steps = fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), {
    minLength: count + 1,
    maxLength: count + 1,
  });
  return fc.tuple(steps, steps).map(([xs, ys]) => {
    const [x, y] = [sums(xs), sums(ys)];
    return x.map((value, i): [number, number] => [value, y[i]!]);
  });
});

/** Shares of the whole that the first one, two, … of some numbers have; the whole itself left out. */
function sums(numbers: readonly number[]): number[] {
  const total = numbers.reduce((sum, number) => sum + number, 0);
  let sum = 0;
  return numbers.slice(0, -1).map((number) => (sum += number) / total);
}

describe('a temperature in an artifact', () => {
  const logits = fc.array(fc.double({ min: -40, max: 40, noNaN: true }), { minLength: 1, maxLength: 30 });
  /** So far from 0 that float32 does not make two classes equally probable. */
  const tellable = fc.array(
    fc.integer({ min: -320, max: 320 }).map((eighths) => (eighths === 0 ? 1 : eighths / 8)),
    { minLength: 1, maxLength: 30 },
  );
  const temperature = fc.double({ min: 0.05, max: 20, noNaN: true });

  it('divides the logit before the sigmoid, also where the probability alone would be 0 or 1', async () => {
    await fc.assert(
      fc.asyncProperty(logits, temperature, async (zs, t) => {
        const { probability } = await binaryAnswers({ method: 'temperature', temperature: t }, zs);
        zs.forEach((z, i) => expect(Math.abs(probability[i]! - sigmoid(z / t))).toBeLessThan(1e-6));
      }),
      { numRuns: 60 },
    );
  });

  it('divides the logits before the softmax, and leaves the decided class as it is', async () => {
    await fc.assert(
      fc.asyncProperty(tellable, temperature, async (zs, t) => {
        const network = passing(3, 'softmax');
        const calibration: Calibration = { method: 'temperature', temperature: t };
        const plain = await answers({ network, label: MULTICLASS }, zs);
        const output = await answers({ network, label: MULTICLASS, calibration }, zs);
        if (output.kind !== 'multiclass' || plain.kind !== 'multiclass') throw new TypeError(output.kind);
        expect(output.decision).toEqual(plain.decision);
        zs.forEach((z, i) => {
          const powers = [z, -z, 2 * z].map((logit) => Math.exp(logit / t - Math.max(z, -z, 2 * z) / t));
          const sum = powers.reduce((total, power) => total + power, 0);
          powers.forEach((power, k) =>
            expect(Math.abs(output.probabilities[i * 3 + k]! - power / sum)).toBeLessThan(1e-5),
          );
        });
      }),
      { numRuns: 40 },
    );
  });

  it('stands behind an activation that is a layer of its own, too', async () => {
    const [dense] = passing(1, 'linear').layers;
    const activation: NetworkLayer = {
      name: 'p',
      inputs: ['out'],
      kind: 'activation',
      activation: 'sigmoid',
    };
    const network = { inputs: NETWORK_INPUTS, layers: [dense!, activation], output: 'p' };
    const calibration: Calibration = { method: 'temperature', temperature: 2 };
    const output = await answers({ network, label: BINARY, calibration }, [3]);
    expect(output.kind === 'binary' && output.probability[0]).toBeCloseTo(sigmoid(1.5), 6);
  });

  it.each(['hardSigmoid', 'linear'] as const)('is refused behind %s', (activation) => {
    const calibration: Calibration = { method: 'temperature', temperature: 2 };
    const artifact = { network: passing(1, activation), label: BINARY, calibration };
    expect(() => written(artifact)).toThrow(UnsupportedLayerError);
  });
});

describe('a rising function in an artifact', () => {
  const logits = fc.array(fc.double({ min: -12, max: 12, noNaN: true }), { minLength: 2, maxLength: 200 });

  it('takes every probability to the line between its points', async () => {
    await fc.assert(
      fc.asyncProperty(risingPoints, logits, async (points, zs) => {
        const { probability, decision } = await binaryAnswers({ method: 'isotonic', points }, zs);
        zs.forEach((z, i) => {
          const expected = interpolated(points, Math.fround(sigmoid(z)));
          // A probability of float32 is known to 1e-7; a steep segment makes more of that.
          const steepest = Math.max(
            ...points.slice(1).map(([x, y], k) => (y - points[k]![1]) / (x - points[k]![0])),
          );
          expect(Math.abs(probability[i]! - expected)).toBeLessThan(1e-6 + 2e-7 * steepest);
          expect(Boolean(decision[i])).toBe(probability[i]! >= BINARY.threshold);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('never puts a higher probability below a lower one, and stays between 0 and 1', async () => {
    await fc.assert(
      fc.asyncProperty(risingPoints, logits, async (points, zs) => {
        const sorted = zs.toSorted((a, b) => a - b);
        const { probability } = await binaryAnswers({ method: 'isotonic', points }, sorted);
        probability.forEach((p, i) => {
          expect(p).toBeGreaterThanOrEqual(0);
          expect(p).toBeLessThanOrEqual(1);
          // Summing the segments rounds by a few units of float32.
          if (i > 0) expect(p).toBeGreaterThanOrEqual(probability[i - 1]! - 1e-6);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('lets a network that answers with no number be seen', async () => {
    const points: [number, number][] = [
      [0, 0.2],
      [1, 0.8],
    ];
    const network = passing(1, 'sigmoid');
    const broken: NetworkGraph = {
      ...network,
      layers: [{ ...network.layers[0]!, bias: { shape: [1], data: Float32Array.of(NaN) } } as NetworkLayer],
    };
    const silent = await answers(
      { network: broken, label: BINARY, calibration: { method: 'isotonic', points } },
      [0],
    );
    expect(silent).toEqual({
      kind: 'binary',
      probability: Float32Array.of(NaN),
      decision: Uint8Array.of(0),
    });
  });

  const isotonic = (...points: [number, number][]): Calibration => ({ method: 'isotonic', points });
  const regression: FittedLabel = { kind: 'regression', name: 'y', center: 0, scale: 1 };
  const bad: [string, Omit<Case, 'network'>, string][] = [
    ['one point', { label: BINARY, calibration: isotonic([0.5, 0.5]) }, 'its calibration is wrong'],
    [
      'points that fall',
      { label: BINARY, calibration: isotonic([0.1, 0.5], [0.2, 0.4]) },
      'its points do not rise',
    ],
    [
      'two points that float32 cannot tell apart',
      { label: BINARY, calibration: isotonic([0.5, 0.4], [0.5 + 1e-10, 0.6]) },
      'its points do not rise',
    ],
    [
      'a point beyond 1',
      { label: BINARY, calibration: isotonic([0.1, 0.5], [0.2, 1.4]) },
      'its calibration is wrong',
    ],
    [
      'several classes',
      { label: MULTICLASS, calibration: isotonic([0, 0], [1, 1]) },
      'a rising function is for binary labels',
    ],
    [
      'a regression',
      { label: regression, calibration: { method: 'temperature', temperature: 2 } },
      'a regression has no probabilities',
    ],
    [
      'a temperature of zero',
      { label: BINARY, calibration: { method: 'temperature', temperature: 0 } },
      'its calibration is wrong',
    ],
  ];
  it.each(bad)('or a temperature is refused for %s', (_, artifact, message) => {
    const network = passing(artifact.label.kind === 'multiclass' ? 3 : 1, 'sigmoid');
    expect(() => written({ network, ...artifact })).toThrow(ArtifactInvalidError);
    expect(() => written({ network, ...artifact })).toThrow(message);
  });
});

describe('a calibrated artifact', () => {
  it('says its calibration, and has the weights of the network as without it', () => {
    const network = passing(1, 'sigmoid');
    const plain = readArtifact(written({ network, label: BINARY }));
    const calibrations: Calibration[] = [
      { method: 'temperature', temperature: 1.25 },
      {
        method: 'isotonic',
        points: [
          [0, 0.01],
          [0.4, 0.2],
          [1, 0.99],
        ],
      },
    ];
    for (const calibration of calibrations) {
      const artifact = readArtifact(written({ network, label: BINARY, calibration }));
      expect(artifact.calibration).toEqual(calibration);
      expect(artifact.weights).toEqual(plain.weights);
    }
    expect(plain.calibration).toBeNull();
  });
});
