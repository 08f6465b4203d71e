import { Agent, request, type IncomingMessage } from 'node:http';
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

/**
 * Asks a running server as a client does, over one connection that is kept. By `node:http`: what `fetch` does beside costs more than the small network's
 * answer, and would be most of what is timed.
 */
export class ServedArtifact {
  readonly #server: RunningArtifactServer;
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  /** Whether the last request took too long. */
  #late = false;

  constructor(server: RunningArtifactServer, { model, signal }: { model: string; signal: AbortSignal }) {
    this.#server = server;
    this.#url = `${server.url}/v1/models/${model}/predict`;
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
    try {
      const response = await this.#send(body);
      let text = '';
      response.setEncoding('utf8');
      for await (const piece of response) text += piece as string;
      return { status: response.statusCode ?? 0, text };
    } catch (cause) {
      throw new NotServedError(this.#silence(), { cause });
    }
  }

  #send(body: string): Promise<IncomingMessage> {
    const bytes = Buffer.from(body);
    const headers = {
      'content-type': 'application/json',
      'content-length': bytes.length,
      authorization: `Bearer ${this.#server.token}`,
    };
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: this.#agent, headers, signal: this.#signal };
      const asked = request(this.#url, options, resolve).on('error', reject);
      const timer = setTimeout(() => {
        this.#late = true;
        asked.destroy();
      }, REQUEST_MILLISECONDS);
      asked.once('close', () => clearTimeout(timer));
      asked.end(bytes);
    });
  }

  #silence(): string {
    const why = this.#late || this.#signal.aborted ? 'is not answered in time' : 'fails';
    return [`a request ${why}`, ...this.#server.lastLines()].join('\n');
  }
}

/** Checked and not parsed: a parsed record has lost a class that is named `__proto__`. */
function isAnswerTo(instances: readonly Instance[], answer: unknown): answer is PredictResponse {
  const parsed = predictResponseSchema.safeParse(answer);
  return parsed.success && parsed.data.predictions.length === instances.length;
}
