import type { Digest } from '@perennial/contract';
import { InferenceModel } from '@perennial/onnx';
import { problemOf, type ScoringModel } from './score-split.ts';

/** The models of a validation, each opened from its exported file in the runtime that serves it, and released together. */
export class OpenModels {
  readonly #opened: InferenceModel[] = [];

  /** @throws ArtifactInvalidError, InferenceFailedError */
  async open({ artifact, bytes }: { artifact: Digest; bytes: Uint8Array }): Promise<ScoringModel> {
    const inference = await InferenceModel.load(bytes);
    this.#opened.push(inference);
    return { artifact, signature: inference.signature, run: (batch) => inference.run(batch) };
  }

  /** The model, or what is wrong with it as a clause. */
  async tryOpen(model: { artifact: Digest; bytes: Uint8Array }): Promise<ScoringModel | { problem: string }> {
    try {
      return await this.open(model);
    } catch (error) {
      return { problem: problemOf(error) };
    }
  }

  async release(): Promise<void> {
    for (const model of this.#opened.splice(0)) await model.release();
  }
}
