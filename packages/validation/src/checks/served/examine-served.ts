import type { ServedReport } from '@perennial/contract';
import type { ColumnBatch } from '@perennial/onnx';
import type { ScoringModel } from '../../scoring/score-split.ts';
import type { CheckFinding } from '../finding.ts';
import { numberText } from '../wording.ts';
import { LARGEST_DISTANCE } from './answer-distance.ts';
import type { RunningArtifactServer, StartArtifactServer } from './artifact-server.ts';
import { askInTurns, type Contender, type Turns } from './ask-in-turns.ts';
import { ServedArtifact } from './served-artifact.ts';
import { checkSlowdown } from './slowdown.ts';
import { timeComputation } from './time-computation.ts';
import type { Timings } from './timings.ts';

/** An artifact's file, and the same artifact as it was evaluated. */
export interface ServableModel {
  file: string;
  model: ScoringModel;
}

export interface ServedQuestion {
  start: StartArtifactServer;
  /** The name that it will be served under. */
  name: string;
  candidate: ServableModel;
  /** Null when nothing is in production, and where the champion cannot answer these rows. */
  champion: ServableModel | null;
  /** Test rows with their raw columns; some hundreds of them are asked about. */
  batch: ColumnBatch;
  signal?: AbortSignal | undefined;
}

export interface ServedExamination {
  /** Null where the candidate could not be asked to the end. */
  report: ServedReport | null;
  findings: CheckFinding[];
}

/** All requests together may take this long; a model that is not done by then is not fit to be served. */
const DEADLINE_MILLISECONDS = 60_000;

/**
 * Has the candidate served by a fresh process and asks it real requests over HTTP, in turns with the champion in a like process. Every served answer must be the
 * evaluated one, and neither requests nor the computation alone may take more than three times as long as with the champion.
 *
 * @throws the signal's reason when it is aborted
 */
export async function examineServed(question: ServedQuestion): Promise<ServedExamination> {
  question.signal?.throwIfAborted();
  if (question.batch.rows === 0) return nothingToAsk();
  const [candidate, champion] = await startBoth(question);
  try {
    if ('problem' in candidate) return notServed(candidate.problem);
    return await examineRunning(question, candidate, champion);
  } catch (error) {
    question.signal?.throwIfAborted();
    return notServed(messageOf(error));
  } finally {
    await Promise.all([stop(candidate), stop(champion)]);
  }
}

type Started = { server: RunningArtifactServer } | { problem: string };

async function stop(started: Started): Promise<void> {
  if ('server' in started) await started.server.close();
}

/** At the same time, as a process takes about a second to come up. */
function startBoth({ start, name: model, candidate, champion }: ServedQuestion): Promise<[Started, Started]> {
  const started = async (servable: ServableModel | null): Promise<Started> => {
    if (servable === null) return { problem: 'there is no champion that could answer these rows' };
    try {
      return { server: await start({ file: servable.file, model }) };
    } catch (error) {
      return { problem: messageOf(error) };
    }
  };
  return Promise.all([started(candidate), started(champion)]);
}

async function examineRunning(
  question: ServedQuestion,
  { server }: { server: RunningArtifactServer },
  started: Started,
): Promise<ServedExamination> {
  const { name, batch } = question;
  const deadline = AbortSignal.timeout(DEADLINE_MILLISECONDS);
  const signal = question.signal ? AbortSignal.any([question.signal, deadline]) : deadline;
  const served = (running: RunningArtifactServer) => new ServedArtifact(running, { model: name, signal });
  const candidate: Contender = { served: served(server), model: question.candidate.model };
  const champion: Contender | null =
    question.champion !== null && 'server' in started
      ? { served: served(started.server), model: question.champion.model }
      : null;
  const turns = await askInTurns({ candidate, champion, batch });
  const problem = 'problem' in started ? started.problem : turns.championProblem;
  const compared = problem === null ? champion : null;
  const report = reportOf(turns, await candidate.served.residentMegabytes(), compared !== null);
  const latency =
    compared === null
      ? skipped('served-latency', `Not compared: ${problem ?? ''}.`)
      : checkSlowdown([
          turns.one,
          turns.hundred,
          ...(await timeComputation({ candidate: candidate.model, champion: compared.model }, batch)),
        ]);
  return { report, findings: [answersFinding(report), latency] };
}

function reportOf(turns: Turns, residentMegabytes: number, compared: boolean): ServedReport {
  const { requests, rows, maxDifference, one } = turns;
  const percentiles = (timings: Timings) => ({
    p50Milliseconds: timings.quantile(0.5),
    p99Milliseconds: timings.quantile(0.99),
  });
  return {
    requests,
    rows,
    // The report is JSON, which has no infinity.
    maxDifference: Math.min(maxDifference, Number.MAX_VALUE),
    ...percentiles(one.candidate),
    residentMegabytes,
    champion: compared ? percentiles(one.champion) : null,
  };
}

function answersFinding({ maxDifference, rows, requests }: ServedReport): CheckFinding {
  const asked = `${numberText(rows)} rows in ${numberText(requests)} requests`;
  // NaN is not within it either.
  const within = maxDifference <= LARGEST_DISTANCE;
  return {
    name: 'served-answers',
    subject: null,
    outcome: within ? 'pass' : 'fail',
    explanation: within
      ? `A fresh serving process answers as evaluated: ${asked}, at most ${numberText(maxDifference)} apart.`
      : `A fresh serving process answers otherwise than evaluated: of ${asked} the farthest ${apart(maxDifference)}.`,
    measured: maxDifference,
    limit: LARGEST_DISTANCE,
  };
}

function apart(maxDifference: number): string {
  return maxDifference === Number.MAX_VALUE
    ? 'is of another kind or decides otherwise'
    : `is ${numberText(maxDifference)} apart`;
}

function notServed(problem: string): ServedExamination {
  const failed: CheckFinding = {
    name: 'served-answers',
    subject: null,
    outcome: 'fail',
    explanation: `A fresh serving process does not serve it: ${problem}`,
    measured: null,
    limit: LARGEST_DISTANCE,
  };
  return { report: null, findings: [failed, skipped('served-latency', 'There is no answer to time.')] };
}

function nothingToAsk(): ServedExamination {
  const names = ['served-answers', 'served-latency'] as const;
  return {
    report: null,
    findings: names.map((name) => skipped(name, 'There are no test rows to ask about.')),
  };
}

function skipped(name: 'served-answers' | 'served-latency', explanation: string): CheckFinding {
  return { name, subject: null, outcome: 'skipped', explanation, measured: null, limit: null };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
