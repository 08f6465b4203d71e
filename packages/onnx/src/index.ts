export * from './artifact.ts';
export * from './batch.ts';
export { Encoder, type EncodedBatch } from './encoder.ts';
export { readEncoder, writeEncoder } from './encoder-file.ts';
export { encoderLayout, type EncoderLayout } from './encoder-plan.ts';
export * from './errors.ts';
export { InferenceModel } from './inference-model.ts';
export * from './network.ts';
