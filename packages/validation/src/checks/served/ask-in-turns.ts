import type { Instance } from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { takeValues } from '../../probing/raw-columns.ts';
import type { ScoringModel } from '../../scoring/score-split.ts';
import { answerDistance } from './answer-distance.ts';
import { askedRows } from './instances.ts';
import { NotServedError, type ServedArtifact } from './served-artifact.ts';
import { Timings, type PairedTimings } from './timings.ts';

/** A model that is served, and the same as it was evaluated. */
export interface Contender {
  served: ServedArtifact;
  model: ScoringModel;
}

export interface Turns {
  /** Of the candidate. */
  requests: number;
  rows: number;
  maxDifference: number;
  one: PairedTimings;
  hundred: PairedTimings;
  /** Why the champion was not asked to the end; null where it was, and where there is none. */
  championProblem: string | null;
}

/** Rows that are asked about, again from the first where there are fewer. */
const ROWS = 300;
const SINGLES = 220;
/** After so many requests of one row comes one of a hundred. */
const SINGLES_PER_HUNDRED = 20;
const WARM_UP_SINGLES = 10;
/** A slow model is asked less often; a hundred times all the same. */
const MOST_MILLISECONDS = 5_000;
const FEWEST_SINGLES = 100;

/**
 * Asks both models requests of one row and of a hundred, in turns, and compares the candidate's answers with what it answered when it was evaluated.
 *
 * @throws NotServedError when the candidate does not answer
 */
export async function askInTurns(task: {
  candidate: Contender;
  champion: Contender | null;
  batch: ColumnBatch;
}): Promise<Turns> {
  const candidate = await Asker.of(task.candidate, task.batch);
  const rival = new Rival(task.champion, task.batch);
  const timings = (what: string): PairedTimings => ({
    what,
    candidate: new Timings(),
    champion: new Timings(),
  });
  const [one, hundred] = [timings('a request of one row'), timings('a request of 100 rows')];
  const turn = async (timing: PairedTimings | null, from: number, count: number) => {
    const ours = await candidate.ask(from, count);
    const theirs = await rival.ask(from, count);
    timing?.candidate.add(ours);
    if (theirs !== null) timing?.champion.add(theirs);
  };
  for (let i = 0; i < WARM_UP_SINGLES; i++) await turn(null, i, 1);
  await turn(null, 0, 100);
  const ends = performance.now() + MOST_MILLISECONDS;
  for (let i = 0; i < SINGLES; i++) {
    if (i >= FEWEST_SINGLES && performance.now() > ends) break;
    await turn(one, i, 1);
    // 7 has no divisor in common with the rows: the hundreds begin everywhere.
    if (i % SINGLES_PER_HUNDRED === 0) await turn(hundred, i * 7, 100);
  }
  const { requests, rows, maxDifference } = candidate;
  return { requests, rows, maxDifference, one, hundred, championProblem: rival.problem };
}

/** Asks one served model about its rows, and keeps account of it. */
class Asker {
  requests = 0;
  rows = 0;
  maxDifference = 0;
  readonly #served: ServedArtifact;
  readonly #instances: readonly Instance[];
  readonly #evaluated: OutputBatch;
  readonly #threshold: number;

  private constructor({ served, model }: Contender, instances: Instance[], evaluated: OutputBatch) {
    const { output } = model.signature;
    this.#served = served;
    this.#instances = instances;
    this.#evaluated = evaluated;
    this.#threshold = output.kind === 'binary' ? output.threshold : NaN;
  }

  /** @throws NotServedError when no row can be sent */
  static async of(contender: Contender, batch: ColumnBatch): Promise<Asker> {
    const { model } = contender;
    const { rows, instances } = askedRows(batch, model.signature.inputs, ROWS);
    if (rows.length === 0) throw new NotServedError('no test row can be sent in a request');
    return new Asker(contender, instances, await model.run(takeRows(batch, rows)));
  }

  /** Asks about some rows, counted round, and gives the milliseconds that it took. */
  async ask(from: number, count: number): Promise<number> {
    const rows = Array.from({ length: count }, (_, i) => (from + i) % this.#instances.length);
    const { outputs, milliseconds } = await this.#served.ask(rows.map((row) => this.#instances[row]!));
    rows.forEach((row, i) => {
      const distance = answerDistance(outputs[i]!, this.#evaluated, { row, threshold: this.#threshold });
      // An answer that was evaluated as NaN is at no distance from anything.
      this.maxDifference = Math.max(this.maxDifference, Number.isNaN(distance) ? Infinity : distance);
    });
    this.requests += 1;
    this.rows += count;
    return milliseconds;
  }
}

/** The champion in its turns. That it fails is no fault of the candidate's: it is then asked no more. */
class Rival {
  problem: string | null = null;
  #asker: Promise<Asker> | null;

  constructor(champion: Contender | null, batch: ColumnBatch) {
    this.#asker = champion && Asker.of(champion, batch);
    // Told of when it is asked.
    this.#asker?.catch(() => undefined);
  }

  async ask(from: number, count: number): Promise<number | null> {
    if (this.#asker === null) return null;
    try {
      return await (await this.#asker).ask(from, count);
    } catch (error) {
      this.problem = problemOf(error);
      this.#asker = null;
      return null;
    }
  }
}

function takeRows(batch: ColumnBatch, rows: Uint32Array): ColumnBatch {
  const columns = Object.entries(batch.columns).map(([name, column]) => [name, takeValues(column, rows)]);
  return { rows: rows.length, columns: Object.fromEntries(columns) as ColumnBatch['columns'] };
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
