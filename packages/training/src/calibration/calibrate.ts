import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Calibration, FittedLabel, NetworkTrainSpec, TrainingResult } from '@perennial/contract';
import type { EncodedRows } from '../fit/encoded-rows.ts';
import { predict } from '../fit/fit.ts';
import { outputWidth } from '../network/layout.ts';
import { fitIsotonic, valueAt } from './isotonic.ts';
import { hasLogits, logitsNetwork } from './logits.ts';
import { atTemperature, fitTemperature } from './temperature.ts';

/** A fitted network and how it is fed. */
export interface FittedNetwork {
  model: LayersModel;
  label: FittedLabel;
  /** What is fed to each of the network's inputs, in its order. */
  inputs: readonly string[];
}

/** A network that answers with its calibration. */
export interface AnsweringNetwork {
  /** Answers in the units of the network's output, row-major: what the exported file must say too. */
  predict(rows: EncodedRows): Promise<Float32Array>;
  /** Frees what it has for itself; the network stays. */
  dispose: () => void;
}

/** What was fitted after a network. */
export interface FittedCalibration {
  /** As it is written into the artifact; absent where nothing was fitted. */
  calibration?: Calibration;
  /** As it is recorded; null where nothing was fitted. */
  result: TrainingResult['calibration'];
  /** Why nothing was fitted though the pipeline asks for it. */
  note?: string;
}

/** Fewest validation rows that a calibration is fitted on. */
const FEWEST_ROWS = 100;

/**
 * Fits what the pipeline asks for on the validation rows. Where they do not allow it, the network stays as it is, and a note says why: a day with few
 * rows is no reason not to train.
 */
export async function calibrate(
  network: FittedNetwork,
  method: NetworkTrainSpec['calibration'],
  validation: EncodedRows,
): Promise<FittedCalibration> {
  if (method === 'none') return { result: null };
  const obstacle = obstacleTo(method, network, validation);
  if (obstacle !== undefined) return { result: null, note: `not calibrated: ${obstacle}` };
  const calibration = await FITS[method](network, validation);
  const lossWith = async (candidate?: Calibration) => {
    const answering = calibratedBy(network, candidate);
    const loss = logLoss(await answering.predict(validation), outputWidth(network.label), validation.targets);
    answering.dispose();
    return loss;
  };
  return {
    calibration,
    result: {
      method: calibration.method,
      temperature: calibration.method === 'temperature' ? calibration.temperature : null,
      points: calibration.method === 'isotonic' ? calibration.points : null,
      logLoss: { before: await lossWith(), after: await lossWith(calibration) },
    },
  };
}

/** The network with a calibration behind it. */
export function calibratedBy(network: FittedNetwork, calibration: Calibration | undefined): AnsweringNetwork {
  switch (calibration?.method) {
    case undefined:
      return { predict: (rows) => predict(network, rows), dispose: () => undefined };
    case 'temperature': {
      const { temperature } = calibration;
      const width = outputWidth(network.label);
      const { model, dispose } = logitsNetwork(network.model);
      const logits = (rows: EncodedRows) => predict({ ...network, model }, rows);
      return { predict: async (rows) => atTemperature(await logits(rows), width, temperature), dispose };
    }
    case 'isotonic': {
      const { points } = calibration;
      const risen = (probabilities: Float32Array) => probabilities.map((p) => valueAt(points, p));
      return { predict: async (rows) => risen(await predict(network, rows)), dispose: () => undefined };
    }
  }
}

const FITS: Record<
  Calibration['method'],
  (network: FittedNetwork, validation: EncodedRows) => Promise<Calibration>
> = {
  temperature: async (network, validation) => {
    const { model, dispose } = logitsNetwork(network.model);
    const logits = await predict({ ...network, model }, validation);
    dispose();
    const width = outputWidth(network.label);
    const temperature = fitTemperature({ logits, width, targets: validation.targets });
    // Rounded as the graph has it, so that what is recorded is what is served.
    return { method: 'temperature', temperature: Math.fround(temperature) };
  },
  isotonic: async (network, validation) => {
    const probabilities = await predict(network, validation);
    return { method: 'isotonic', points: fitIsotonic(probabilities, validation.targets) };
  },
};

function obstacleTo(
  method: Calibration['method'],
  { model, label }: FittedNetwork,
  { targets }: EncodedRows,
): string | undefined {
  if (label.kind === 'regression') return 'a regression has no probabilities';
  if (label.kind === 'multiclass' && method === 'isotonic') return 'a rising function is for binary labels';
  const known = targets.filter((target) => target >= 0);
  if (known.length < FEWEST_ROWS)
    return `there are ${known.length} validation rows, and ${FEWEST_ROWS} are needed`;
  if (new Set(known).size < 2) return 'all validation rows are of one class';
  return method === 'temperature' && !hasLogits(model)
    ? 'the network ends in no sigmoid or softmax'
    : undefined;
}

/** Farthest that a probability may go towards 0 before its logarithm is taken, as in training's loss. */
const SMALLEST_PROBABILITY = 1e-7;

/** Mean log loss of the rows whose class is known. */
function logLoss(probabilities: Float32Array, width: number, targets: Float32Array): number {
  let [sum, rows] = [0, 0];
  targets.forEach((target, row) => {
    if (target < 0) return;
    const given =
      width === 1 ? binaryGiven(probabilities[row]!, target) : probabilities[row * width + target]!;
    sum -= Math.log(Math.max(SMALLEST_PROBABILITY, given));
    rows += 1;
  });
  return sum / rows;
}

function binaryGiven(probability: number, target: number): number {
  return target === 1 ? probability : 1 - probability;
}
