import type { EncoderSpec } from '@perennial/contract';
import type { ColumnBatch } from './batch.ts';
import { readEncoder, writeEncoder } from './encoder-file.ts';
import { encoderLayout, type EncoderLayout } from './encoder-plan.ts';
import { Feeds } from './feeds.ts';
import { resultData } from './results.ts';
import { RuntimeSession } from './runtime-session.ts';
import { DENSE_OUTPUT, indicesOutput } from './tensor-names.ts';

/** What an encoder makes of some rows. */
export interface EncodedBatch {
  /** Row-major, `layout.denseWidth` wide; null where no feature is dense. */
  dense: Float32Array | null;
  /** One index a row, by embedding feature. */
  indices: Record<string, BigInt64Array>;
}

/** Runs an encoder's graph: raw columns to the tensors that a network is fitted on. */
export class Encoder {
  readonly spec: EncoderSpec;
  readonly layout: EncoderLayout;
  readonly #session: RuntimeSession;
  readonly #feeds: Feeds;

  private constructor(spec: EncoderSpec, session: RuntimeSession) {
    this.spec = spec;
    this.layout = encoderLayout(spec);
    this.#session = session;
    this.#feeds = new Feeds(spec.columns);
  }

  /** Opens an encoder from its spec or from the bytes of its file. @throws ArtifactInvalidError */
  static async create(from: EncoderSpec | Uint8Array): Promise<Encoder> {
    const bytes = from instanceof Uint8Array ? from : writeEncoder(from);
    return new Encoder(readEncoder(bytes), await RuntimeSession.open(bytes));
  }

  /**
   * Encodes some rows, on the calling thread: a million rows a second and column of text, thereabouts. Feed it in batches of some
   * thousand rows.
   *
   * @throws BatchInvalidError where the batch lacks a column, or has one of another type or length.
   */
  async encode(batch: ColumnBatch): Promise<EncodedBatch> {
    const { rows } = batch;
    const feeds = this.#feeds.of(batch);
    if (rows === 0) return this.#empty();
    const results = await this.#session.run(feeds);
    const width = this.layout.denseWidth;
    const dense = width === 0 ? null : resultData(results, DENSE_OUTPUT, { type: 'float32', rows, width });
    const indices: Record<string, BigInt64Array> = {};
    for (const { feature } of this.layout.embeddings) {
      indices[feature] = resultData(results, indicesOutput(feature), { type: 'int64', rows, width: 1 });
    }
    return { dense, indices };
  }

  /** Frees the session once the batches under way are done. */
  release(): Promise<void> {
    return this.#session.release();
  }

  #empty(): EncodedBatch {
    const indices = this.layout.embeddings.map(({ feature }) => [feature, new BigInt64Array(0)] as const);
    return {
      dense: this.layout.denseWidth === 0 ? null : new Float32Array(0),
      indices: Object.fromEntries(indices),
    };
  }
}
