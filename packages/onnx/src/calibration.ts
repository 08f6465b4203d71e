import { calibrationSchema, type Activation, type Calibration, type FittedLabel } from '@perennial/contract';
import type { EncodedTensors } from './encoder-graph.ts';
import { ArtifactInvalidError, UnsupportedLayerError } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { writeActivation } from './activations.ts';
import { asJson } from './metadata.ts';
import { writeNetworkNodes } from './network-graph.ts';
import type { NetworkGraph } from './network.ts';

/** A network with what is written behind it. */
export interface CalibratedNetwork {
  network: NetworkGraph;
  calibration: Calibration | undefined;
}

type NetworkOutput = { tensor: string; width: number };

/**
 * Writes a network's layers and its calibration behind an encoder's nodes; gives the calibrated output. The network's weights keep their names, so
 * that a warm start finds them.
 *
 * @throws UnsupportedLayerError where a temperature is to stand behind a network that does not end in sigmoid or softmax
 */
export function writeCalibratedNetwork(
  graph: GraphBuilder,
  { network, calibration }: CalibratedNetwork,
  encoded: EncodedTensors,
): NetworkOutput {
  if (calibration === undefined) return writeNetworkNodes(graph, network, encoded);
  switch (calibration.method) {
    case 'temperature': {
      const { logits, activation } = splitAtLogits(network);
      const { tensor, width } = writeNetworkNodes(graph, logits, encoded);
      const temperature = graph.constant(Float32Array.of(calibration.temperature), []);
      const divided = graph.node('Div', [tensor, temperature]);
      return { tensor: writeActivation(graph, divided, { activation }), width };
    }
    case 'isotonic': {
      const { tensor, width } = writeNetworkNodes(graph, network, encoded);
      return { tensor: writeRisingFunction(graph, tensor, calibration.points), width };
    }
  }
}

/** The network up to the numbers that its last activation makes probabilities of, and that activation. */
function splitAtLogits(network: NetworkGraph): { logits: NetworkGraph; activation: Activation } {
  const last = network.layers.find(({ name }) => name === network.output);
  const activation = last?.kind === 'dense' || last?.kind === 'activation' ? last.activation : undefined;
  const readAgain = network.layers.some(({ inputs }) => inputs.includes(network.output));
  if ((activation !== 'sigmoid' && activation !== 'softmax') || readAgain) {
    throw new UnsupportedLayerError(
      network.output,
      'a temperature needs a network that ends in sigmoid or softmax',
    );
  }
  const layers = network.layers.map((layer) =>
    layer === last ? { ...last, activation: 'linear' as const } : layer,
  );
  return { logits: { ...network, layers }, activation };
}

/**
 * y₀ + Σ clip((p − xᵢ) / (xᵢ₊₁ − xᵢ), 0, 1) · (yᵢ₊₁ − yᵢ): each term is how far p has come through one segment. In this form no term is larger
 * than its segment's rise, so float32 loses nothing where a segment is steep.
 */
function writeRisingFunction(graph: GraphBuilder, probability: string, points: [number, number][]): string {
  const segments = points.slice(1).map(([x, y], i) => ({ from: points[i]!, to: [x, y] as const }));
  const row = (numbers: number[]) => graph.constant(Float32Array.from(numbers), [1, numbers.length]);
  const starts = segments.map(({ from }) => Math.fround(from[0]));
  const widths = segments.map(({ to }, i) => Math.fround(to[0]) - starts[i]!);
  const rises = Float32Array.from(segments, ({ from, to }) => to[1] - from[1]);
  const [zero, one] = [graph.constant(Float32Array.of(0), []), graph.constant(Float32Array.of(1), [])];
  const beyondStart = graph.node('Sub', [probability, row(starts)]);
  const parts = graph.node('Div', [beyondStart, row(widths)]);
  const gone = graph.node('Clip', [parts, zero, one]);
  const risen = graph.node('MatMul', [gone, graph.constant(rises, [rises.length, 1])]);
  const first = graph.constant(Float32Array.of(points[0]![1]), []);
  const calibrated = graph.node('Clip', [graph.node('Add', [risen, first]), zero, one]);
  // Clip may make a number of what is none; a network that answers with NaN has to be seen to.
  return graph.node('Where', [graph.node('IsNaN', [probability]), probability, calibrated]);
}

/**
 * Checks a calibration and gives it in its normal form.
 *
 * @throws ArtifactInvalidError where it is none, or does not fit the label
 */
export function checkCalibration(given: unknown, label: FittedLabel): Calibration {
  const parsed = calibrationSchema.safeParse(given);
  if (!parsed.success) throw invalid(parsed.error.issues[0]?.message ?? 'unknown', parsed.error);
  const calibration = asJson(parsed.data);
  if (label.kind === 'regression') throw invalid('a regression has no probabilities');
  if (calibration.method === 'isotonic') {
    if (label.kind !== 'binary') throw invalid('a rising function is for binary labels');
    checkRising(calibration.points);
  }
  return calibration;
}

function checkRising(points: [number, number][]): void {
  const rising = points.slice(1).every(([x, y], i) => {
    const [beforeX, beforeY] = points[i]!;
    // In float32, since two points in one place have no slope between them.
    return Math.fround(x) > Math.fround(beforeX) && y >= beforeY;
  });
  if (!rising) throw invalid('its points do not rise');
}

function invalid(reason: string, cause?: Error): ArtifactInvalidError {
  return new ArtifactInvalidError(`its calibration is wrong (${reason})`, { cause });
}
