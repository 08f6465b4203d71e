import type { Signature } from '@perennial/contract';
import type { InferenceSession } from 'onnxruntime-node';
import { isAdopted, readSignature } from './signature.ts';

import type { CodedBatch, ColumnBatch, OutputBatch } from './batch.ts';
import { batchModel } from './batch-graph/batch-model.ts';
import { Feeds, coded, type TogetherColumns } from './feeds.ts';
import { withPackedNumbers } from './packed-numbers.ts';
import { resultData } from './results.ts';
import { RuntimeSession } from './runtime-session.ts';
import {
  ADOPTED_NAMES,
  ARTIFACT_NAMES,
  DECISION_OUTPUT,
  PROBABILITIES_OUTPUT,
  PROBABILITY_OUTPUT,
  VALUE_OUTPUT,
  type BorderNames,
} from './tensor-names.ts';

/** The outputs of a file, by what they are. */
interface OutputNames {
  probability: string;
  probabilities: string;
  decision: string;
  value: string;
}

/** How the file in the session takes columns and gives answers. */
interface Border extends TogetherColumns {
  names: BorderNames;
}

/** An artifact, ready to answer: raw columns to probability and decision, class or value. */
export class InferenceModel {
  readonly signature: Signature;
  readonly #session: RuntimeSession;
  readonly #feeds: Feeds;
  readonly #names: OutputNames;

  private constructor(signature: Signature, session: RuntimeSession, { names, ...together }: Border) {
    this.signature = signature;
    this.#session = session;
    this.#feeds = new Feeds(signature.inputs, names, together);
    this.#names = {
      probability: names.output + PROBABILITY_OUTPUT,
      probabilities: names.output + PROBABILITIES_OUTPUT,
      decision: names.output + DECISION_OUTPUT,
      value: names.output + VALUE_OUTPUT,
    };
  }

  /**
   * Opens an artifact whose digest the caller has checked, and runs it once, on a row of missing values: the first run allocates,
   * and an artifact that cannot run is found here and not by a request.
   *
   * @throws ArtifactInvalidError where the bytes are no artifact or cannot be loaded.
   * @throws InferenceFailedError where it cannot run.
   */
  static async load(bytes: Uint8Array): Promise<InferenceModel> {
    const signature = readSignature(bytes);
    const names = isAdopted(bytes) ? ADOPTED_NAMES : ARTIFACT_NAMES;
    const packed = withPackedNumbers(bytes, signature.inputs, names);
    const session = await RuntimeSession.open(packed.bytes);
    const model = new InferenceModel(signature, session, { names, packed: packed.columns });
    return InferenceModel.#warmUp(model, model.#feeds.missing(1));
  }

  /**
   * As {@link InferenceModel.load}, for {@link CodedBatch}es of thousands of rows, one after another.
   *
   * @throws ArtifactInvalidError, InferenceFailedError
   */
  static async loadCoded(bytes: Uint8Array): Promise<InferenceModel> {
    const signature = readSignature(bytes);
    const names = isAdopted(bytes) ? ADOPTED_NAMES : ARTIFACT_NAMES;
    const { planar, ...changed } = batchModel(bytes, signature.inputs, names);
    const session = await RuntimeSession.open(changed.bytes, { arena: true });
    const model = new InferenceModel(signature, session, { names, planar });
    return InferenceModel.#warmUp(model, coded(model.#feeds.missing(1)));
  }

  static async #warmUp(model: InferenceModel, batch: ColumnBatch | CodedBatch): Promise<InferenceModel> {
    try {
      await model.run(batch);
    } catch (error) {
      await model.release();
      throw error;
    }
    return model;
  }

  /**
   * Answers some rows, on the calling thread: it blocks the event loop for as long as the network takes. NaN and infinities are let
   * through, so that an output may be NaN; the decision is then false, or a class of the signature all the same.
   *
   * @throws BatchInvalidError where the batch lacks a column, or has one of another type or length.
   * @throws InferenceFailedError after a release.
   */
  async run(batch: ColumnBatch | CodedBatch): Promise<OutputBatch> {
    const feeds = this.#feeds.of(batch);
    if (batch.rows === 0) return this.#empty();
    return this.#read(await this.#session.run(feeds), batch.rows);
  }

  /** Frees the session once the batches under way are done; safe to call while others still hold the model. */
  release(): Promise<void> {
    return this.#session.release();
  }

  #read(results: InferenceSession.OnnxValueMapType, rows: number): OutputBatch {
    const { output } = this.signature;
    const names = this.#names;
    switch (output.kind) {
      case 'binary':
        return {
          kind: 'binary',
          probability: resultData(results, names.probability, { type: 'float32', rows, width: 1 }),
          decision: resultData(results, names.decision, { type: 'bool', rows, width: 1 }),
        };
      case 'multiclass': {
        const { classes } = output;
        const width = classes.length;
        return {
          kind: 'multiclass',
          classes,
          probabilities: resultData(results, names.probabilities, { type: 'float32', rows, width }),
          decision: resultData(results, names.decision, { type: 'string', rows, width: 1 }),
        };
      }
      case 'regression':
        return {
          kind: 'regression',
          value: resultData(results, names.value, { type: 'float32', rows, width: 1 }),
        };
    }
  }

  #empty(): OutputBatch {
    const { output } = this.signature;
    switch (output.kind) {
      case 'binary':
        return { kind: 'binary', probability: new Float32Array(0), decision: new Uint8Array(0) };
      case 'multiclass':
        return {
          kind: 'multiclass',
          classes: output.classes,
          probabilities: new Float32Array(0),
          decision: [],
        };
      case 'regression':
        return { kind: 'regression', value: new Float32Array(0) };
    }
  }
}
