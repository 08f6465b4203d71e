import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { FittedLabel, LabelSpec, NetworkTrainSpec } from '@perennial/contract';
import type { EncoderLayout } from '@perennial/onnx';
import type { TensorFlow, TrainContext, TrainFunction } from '@perennial/pipeline';
import { TrainFunctionError } from '../errors.ts';
import { tf, tfLayers } from '../tensorflow.ts';
import { outputWidth, type NetworkInputs } from './layout.ts';

export interface CustomTask {
  build: TrainFunction;
  spec: Extract<NetworkTrainSpec, { kind: 'custom' }>;
  layout: EncoderLayout;
  inputs: NetworkInputs;
  /** As the author wrote it, and as it was fitted. */
  label: { spec: LabelSpec; fitted: FittedLabel };
}

/**
 * Asks the pipeline's own function for its network. Whatever it throws is the author's failure and is told as such.
 *
 * @throws TrainFunctionError when it throws, or gives what is not a layers model
 */
export async function buildCustom(task: CustomTask): Promise<LayersModel> {
  const model: unknown = await callAuthor(task);
  if (model instanceof tfLayers.LayersModel) return model;
  const given = model === null ? 'null' : typeof model;
  throw new TrainFunctionError(`it returned ${given} and not a model; return tf.model({ inputs, outputs })`);
}

async function callAuthor(task: CustomTask): Promise<unknown> {
  try {
    return await task.build(contextOf(task));
  } catch (cause) {
    const { message, stack } = cause instanceof Error ? cause : { message: String(cause), stack: '' };
    const lines = (stack ?? '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
    throw new TrainFunctionError(message, lines, { cause });
  }
}

function contextOf({ spec, layout, inputs, label }: CustomTask): TrainContext {
  return {
    // The author sees the part of TensorFlow.js that can be exported; this is the whole of it.
    tf: { ...tf, ...tfLayers } as unknown as TensorFlow,
    inputs: Object.fromEntries(inputs),
    denseWidth: layout.denseWidth,
    embeddings: layout.embeddings,
    label: label.spec,
    outputs: outputWidth(label.fitted),
    seed: spec.seed,
  };
}
