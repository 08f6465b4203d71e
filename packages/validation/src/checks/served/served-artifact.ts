import {
  predictResponseSchema,
  type Instance,
  type PredictResponse,
  type PredictionOutput,
} from '@perennial/contract';
import type { RunningArtifactServer } from './artifact-server.ts';

/** What came back for one request. */
export interface ServedAnswer {
  outputs: PredictionOutput[];
  /** From sending the request to having read the answer. */
  milliseconds: number;
}

/** Longest that one request is waited for. */
const REQUEST_MILLISECONDS = 10_000;
const SHOWN_CHARACTERS = 300;

/** A served artifact does not answer, or answers with what is no prediction. */
export class NotServedError extends Error {
  override readonly name = 'NotServedError';
}

/** Asks a running server as a client does. */
export class ServedArtifact {
  readonly #server: RunningArtifactServer;
  readonly #model: string;
  readonly #signal: AbortSignal;

  constructor(server: RunningArtifactServer, { model, signal }: { model: string; signal: AbortSignal }) {
    this.#server = server;
    this.#model = model;
    this.#signal = signal;
  }

  /** @throws NotServedError */
  async ask(instances: readonly Instance[]): Promise<ServedAnswer> {
    const body = JSON.stringify({ instances });
    const started = performance.now();
    const { status, text } = await this.#post(body);
    const milliseconds = performance.now() - started;
    if (status !== 200)
      throw new NotServedError(`a request was answered ${status}: ${text.slice(0, SHOWN_CHARACTERS)}`);
    const answer: unknown = JSON.parse(text);
    if (!isAnswerTo(instances, answer))
      throw new NotServedError(
        `a request was answered with what is no prediction: ${text.slice(0, SHOWN_CHARACTERS)}`,
      );
    return { outputs: answer.predictions.map(({ output }) => output), milliseconds };
  }

  async residentMegabytes(): Promise<number> {
    return (await this.#server.residentBytes()) / 1_000_000;
  }

  async #post(body: string): Promise<{ status: number; text: string }> {
    const { url, token } = this.#server;
    try {
      const response = await fetch(`${url}/v1/models/${this.#model}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body,
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(REQUEST_MILLISECONDS)]),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      throw new NotServedError(this.#silence(cause), { cause });
    }
  }

  #silence(cause: unknown): string {
    const why = cause instanceof Error && cause.name === 'TimeoutError' ? 'is not answered in time' : 'fails';
    return [`a request ${why}`, ...this.#server.lastLines()].join('\n');
  }
}

/** Checked and not parsed: a parsed record has lost a class that is named `__proto__`. */
function isAnswerTo(instances: readonly Instance[], answer: unknown): answer is PredictResponse {
  const parsed = predictResponseSchema.safeParse(answer);
  return parsed.success && parsed.data.predictions.length === instances.length;
}
