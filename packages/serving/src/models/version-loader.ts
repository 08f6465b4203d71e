import { NotFoundError, type Clock, type ReleaseStatement } from '@perennial/contract';
import { InferenceModel } from '@perennial/onnx';
import { AttestationInvalidError } from '@perennial/registry/attestation';
import { digestOfJson } from '@perennial/storage/digest';
import type { InferenceCaches } from '../caches/inference-caches.ts';
import type { MicroBatcherOptions } from '../online/micro-batcher.ts';
import { Turns } from '../waiting/turns.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import type { VersionVerifier } from './attested-versions.ts';
import type { ChampionVersion, ServedVersion } from './champion.ts';
import type { Residents, RoomRequest } from './residents.ts';
import { ServedModel } from './served-model.ts';
import { sessionBytes } from './session-memory.ts';

export interface VersionLoaderOptions {
  artifacts: ArtifactCache;
  verifier: VersionVerifier | null;
  residents: Residents;
  batching?: Pick<MicroBatcherOptions, 'batchRows' | 'queueRows'>;
  clock?: Clock;
  /** @default none */
  caches?: InferenceCaches;
}

/** How a version is loaded: how it comes to its memory, and what throws when nobody wants it any more. */
export type LoadRequest = Pick<RoomRequest, 'room' | 'check'>;

/** A version that is allowed to be served, with the file that it is. */
interface Checked {
  version: ServedVersion;
  bytes: Uint8Array;
  statement: ReleaseStatement | undefined;
}

/**
 * Loads versions: holds them against what was signed, takes the memory, opens the session. Sessions are opened one at a time with a turn of the event loop
 * between two, since opening one blocks the thread: 2 ms for a small network, 50 ms for one of 37 MB.
 */
export class VersionLoader {
  readonly #options: VersionLoaderOptions;
  readonly #turns = new Turns();

  constructor(options: VersionLoaderOptions) {
    this.#options = options;
  }

  /**
   * A champion; undefined where it was to have free memory only, and there is none. The evidence and the file are asked for at the same time.
   * @throws AttestationInvalidError when it is not what was approved and signed
   */
  async loadChampion(
    model: string,
    champion: ChampionVersion,
    request: LoadRequest,
  ): Promise<ServedModel | undefined> {
    const { verifier, artifacts } = this.#options;
    const fetching = artifacts.get(champion.artifact);
    const [verified, fetched] = await Promise.allSettled([verifier?.verify(model, champion), fetching]);
    // A refusal waits for the file as well: a load that has ended must leave nothing behind that still writes to the disk.
    if (verified.status === 'rejected') throw verified.reason;
    if (fetched.status === 'rejected') throw fetched.reason;
    const { value: statement } = verified;
    const { value: bytes } = fetched;
    return this.#load(model, { version: champion, bytes, statement }, request);
  }

  /**
   * A version by its number.
   * @throws NotFoundError when there is no such version, VersionNotApprovedError when nobody has approved it
   * @throws AttestationInvalidError when it is not what was approved and signed
   */
  async loadVersion(model: string, version: number, request: LoadRequest): Promise<ServedModel | undefined> {
    const { verifier, artifacts } = this.#options;
    // A server that examines one candidate knows no other version.
    if (verifier === null) throw new NotFoundError('version', `${model}@${version}`);
    const { artifact, statement } = await verifier.find(model, version);
    const bytes = await artifacts.get(artifact);
    return this.#load(model, { version: { version, artifact }, bytes, statement }, request);
  }

  async #load(model: string, checked: Checked, request: LoadRequest): Promise<ServedModel | undefined> {
    const { residents, batching, clock, caches } = this.#options;
    const artifactBytes = checked.bytes.byteLength;
    const guess = sessionBytes({ artifactBytes, columns: 1 });
    if (!(await residents.take({ bytes: guess, ...request }))) return undefined;
    try {
      const inference = await this.#turns.run(() => openChecked(model, checked));
      const bytes = sessionBytes({ artifactBytes, columns: inference.signature.inputs.length });
      residents.adjust(bytes - guess);
      return new ServedModel({
        model,
        champion: checked.version,
        inference,
        bytes,
        onIdle: () => residents.wake(),
        cache: () =>
          caches?.of(model, { artifact: checked.version.artifact, columns: inference.signature.inputs }),
        ...(batching && { batching }),
        ...(clock && { clock }),
      });
    } catch (error) {
      residents.adjust(-guess);
      throw error;
    }
  }
}

/** The artifact's digest is the cache's to check, against the very digest that was signed. */
async function openChecked(model: string, { version, bytes, statement }: Checked): Promise<InferenceModel> {
  const inference = await InferenceModel.load(bytes);
  if (statement === undefined || digestOfJson(inference.signature) === statement.predicate.signature)
    return inference;
  await inference.release();
  const problem = "its file's signature is not the one that was approved and signed";
  throw new AttestationInvalidError({ model, version: version.version }, problem);
}
