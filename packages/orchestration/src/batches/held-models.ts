import type { Digest } from '@perennial/contract';
import { InferenceModel } from '@perennial/onnx';
import type { ArtifactStore } from '@perennial/storage';

interface Held {
  artifact: Digest;
  model: Promise<InferenceModel>;
  users: number;
}

/** Models in use, and the one that was used last: the chunks of a batch come one after another. */
export class HeldModels {
  readonly #artifacts: Pick<ArtifactStore, 'get'>;
  readonly #held = new Map<Digest, Held>();

  constructor(artifacts: Pick<ArtifactStore, 'get'>) {
    this.#artifacts = artifacts;
  }

  /** Does some work with a model. */
  async use<Result>(artifact: Digest, work: (model: InferenceModel) => Promise<Result>): Promise<Result> {
    const held = this.#held.get(artifact) ?? this.#load(artifact);
    held.users += 1;
    try {
      return await work(await held.model);
    } finally {
      held.users -= 1;
    }
  }

  #load(artifact: Digest): Held {
    for (const held of this.#held.values()) if (held.users === 0) this.#drop(held);
    const model = this.#artifacts.get(artifact).then((bytes) => InferenceModel.loadCoded(bytes));
    const held = { artifact, model, users: 0 };
    this.#held.set(artifact, held);
    model.catch(() => this.#held.delete(artifact));
    return held;
  }

  #drop({ artifact, model }: Held): void {
    this.#held.delete(artifact);
    void model.then((loaded) => loaded.release()).catch(() => undefined);
  }
}
