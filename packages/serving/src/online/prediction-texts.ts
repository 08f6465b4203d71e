import type { Clock, IdGenerator, PredictionMode } from '@perennial/contract';

/** What the answers of one request have in common. */
export interface AnswerFrame {
  model: string;
  version: number;
  latencyMicroseconds: number;
  at: string;
}

/** One answered row, its output as JSON. */
export interface AnsweredRow {
  id: string;
  key: string | null;
  features: unknown;
  output: string;
  mode: PredictionMode;
}

/**
 * The record of a prediction as the journal holds it: the JSON of a `Prediction` on one line, its plain UUID first. Put together of the pieces that the answer is made of; ids,
 * names, modes and instants are of forms that need no escaping.
 */
export function recordText(frame: AnswerFrame, { id, key, features, output, mode }: AnsweredRow): string {
  const { model, version, latencyMicroseconds, at } = frame;
  return (
    `{"id":"${id}","model":"${model}","version":${version},"endpoint":"${model}",` +
    `"key":${key === null ? 'null' : JSON.stringify(key)},"features":${JSON.stringify(features)},` +
    `"output":${output},"mode":"${mode}","latencyMicroseconds":${latencyMicroseconds},"at":"${at}"}`
  );
}

/** One row of the answer, as JSON. */
export function rowText(id: string, output: string, mode: PredictionMode): string {
  return `{"id":"pred_${id}","output":${output},"mode":"${mode}"}`;
}

/** The beginning of an answer, up to its first row; `]}` ends it. */
export function answerStart(model: string, version: number): string {
  return `{"model":"${model}","version":${version},"predictions":[`;
}

/** Ids and instants of answers: the text of an instant is made once in a millisecond. */
export class AnswerStamps {
  readonly #ids: IdGenerator;
  readonly #clock: Clock;
  #milliseconds = NaN;
  #text = '';

  constructor({ ids, clock }: { ids: IdGenerator; clock: Clock }) {
    this.#ids = ids;
    this.#clock = clock;
  }

  id(): string {
    return this.#ids.next();
  }

  now(): string {
    const now = this.#clock.now();
    const milliseconds = now.getTime();
    if (milliseconds !== this.#milliseconds) {
      this.#milliseconds = milliseconds;
      this.#text = now.toISOString();
    }
    return this.#text;
  }
}
