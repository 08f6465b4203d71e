import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ArtifactInvalidError, InferenceFailedError } from './errors.ts';
import { ort } from './onnxruntime.ts';

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  // More threads spin while they wait: a second core for 1.3 times the speed on small networks.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  // The arena keeps what the largest batch took: 6 MB for a small model after 8,192 rows, against 0.6 MB without, at the same speed.
  enableCpuMemArena: false,
  // A pattern is planned and kept for each number of rows, and requests are batched in any number.
  enableMemPattern: false,
  graphOptimizationLevel: 'all',
  // 4 is fatal: errors come as exceptions, and the runtime would print them as well.
  logSeverityLevel: 4,
};

export interface RuntimeSessionOptions {
  /** Whether what a run took is kept for the next: up to a third faster for batches of thousands of rows, one after another. @default false */
  arena?: boolean;
}

/** A session of ONNX Runtime that is released only when no run is under way, and whose errors are ours. */
export class RuntimeSession {
  readonly #session: InferenceSession;
  #running = 0;
  #released = false;
  #idle: (() => void) | undefined;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /**
   * Opens a model from memory, never from a path: from memory the runtime refuses data outside the file. It blocks the thread while it
   * works, a few milliseconds for a small network.
   *
   * @throws ArtifactInvalidError where the runtime cannot load it.
   */
  static async open(
    bytes: Uint8Array,
    { arena = false }: RuntimeSessionOptions = {},
  ): Promise<RuntimeSession> {
    try {
      return new RuntimeSession(
        await ort.InferenceSession.create(bytes, { ...SESSION_OPTIONS, enableCpuMemArena: arena }),
      );
    } catch (cause) {
      throw new ArtifactInvalidError('ONNX Runtime cannot load it', { cause });
    }
  }

  /** Runs the graph on named input tensors. @throws InferenceFailedError after a release, or where an operator fails. */
  async run(feeds: Record<string, Tensor>): Promise<InferenceSession.OnnxValueMapType> {
    if (this.#released) throw new InferenceFailedError('the model has been released');
    this.#running += 1;
    try {
      return await this.#session.run(feeds);
    } catch (cause) {
      throw new InferenceFailedError('ONNX Runtime refused the batch', { cause });
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#idle?.();
    }
  }

  /** Frees the session's memory once the runs under way are done. A second call does nothing. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#session.release();
  }
}
