import {
  CHAMPION,
  type Clock,
  type Evaluation,
  type GateReport,
  type IdGenerator,
  type RunLineage,
  type TrainedCard,
  type ReleasePolicy,
  type Signature,
  type Verdict,
} from '@perennial/contract';
import {
  findVersionOfRun,
  insertEvaluation,
  insertModelVersion,
  findAlias,
  listRecentVersions,
  takeVersionNumber,
  type Executor,
} from '@perennial/storage';
import { ChampionMovedError } from './errors.ts';
import { approveAndPromote, requestRelease } from './promotion.ts';
import { decideRelease } from './release-policy.ts';

/** What registration needs beside the transaction it runs in. */
export interface RegistrationContext {
  clock: Clock;
  ids: IdGenerator;
}

export interface Candidate {
  model: string;
  /** The run that made it, as a plain UUID. */
  runId: string;
  artifact: { digest: string; bytes: number };
  dataset: string;
  asOf: Date;
  signature: Signature;
  lineage: RunLineage;
  evaluation: Evaluation;
  gate: GateReport;
  release: ReleasePolicy;
  /** Writes the card once the version has its number. */
  card: (registered: RegisteredAs) => TrainedCard;
}

/** What a card says that is known only when the version is registered. */
export interface RegisteredAs {
  version: number;
  createdAt: Date;
  /** The versions before this one, newest first. */
  history: TrainedCard['history'];
}

/** Versions that a card looks back on. */
const HISTORY = 20;

export interface Registration {
  version: number;
  verdict: Verdict;
  /** Whether the version became the champion. */
  live: boolean;
}

/**
 * Registers a candidate as the model's next version with its card and evaluation, and releases it as its policy says: all in the caller's
 * transaction, so that no half-made version is ever visible. Registering the same run again changes nothing and says what the first time said.
 * @throws ChampionMovedError when the champion is no longer the one that the gate compared with
 */
export async function registerCandidate(
  tx: Executor,
  candidate: Candidate,
  { clock, ids }: RegistrationContext,
): Promise<Registration> {
  const known = await findVersionOfRun(tx, candidate.runId);
  if (known)
    return {
      version: known.version,
      // What a run registered has a report; only imported versions have none.
      verdict: known.gate?.verdict ?? 'no-baseline',
      live: await isChampion(tx, known),
    };
  const createdAt = clock.now();
  const { model } = candidate;
  // Taking the number locks the model's row: from here on no other registration of it can move the champion.
  const version = await takeVersionNumber(tx, model, createdAt);
  await checkChampion(tx, candidate);
  const history = await listRecentVersions(tx, model, HISTORY);
  await insertVersion(tx, candidate, { version, createdAt, history });
  await insertEvaluation(tx, { id: ids.next(), model, version, evaluation: candidate.evaluation, createdAt });
  const live = await release(tx, candidate, { version, id: ids.next(), at: createdAt });
  return { version, verdict: candidate.gate.verdict, live };
}

/** A verdict holds against the champion it was given against, and against no other. */
async function checkChampion(tx: Executor, { model, gate }: Candidate): Promise<void> {
  const current = await findAlias(tx, model, CHAMPION);
  const compared = gate.champion?.version ?? null;
  if ((current?.version ?? null) !== compared) throw new ChampionMovedError(model, compared);
}

async function insertVersion(tx: Executor, candidate: Candidate, registered: RegisteredAs): Promise<void> {
  await insertModelVersion(tx, {
    model: candidate.model,
    version: registered.version,
    runId: candidate.runId,
    artifactDigest: candidate.artifact.digest,
    artifactBytes: candidate.artifact.bytes,
    datasetDigest: candidate.dataset,
    signature: candidate.signature,
    lineage: candidate.lineage,
    gate: candidate.gate,
    card: candidate.card(registered),
    asOf: candidate.asOf,
    createdAt: registered.createdAt,
  });
}

async function release(
  tx: Executor,
  candidate: Candidate,
  { version, id, at }: { version: number; id: string; at: Date },
): Promise<boolean> {
  const { verdict, gate } = candidate.gate;
  const decision = decideRelease(candidate.release, verdict, gate.inconclusive);
  if (decision === 'none') return false;
  const name = { id, model: candidate.model, version };
  const because = { by: 'policy:automatic', reason: candidate.gate.explanation, at };
  await requestRelease(tx, name, { ...because, by: `pipeline:${candidate.lineage.pipeline}` });
  if (decision === 'request') return false;
  await approveAndPromote(tx, name, because);
  return true;
}

async function isChampion(
  tx: Executor,
  { model, version }: { model: string; version: number },
): Promise<boolean> {
  return (await findAlias(tx, model, CHAMPION))?.version === version;
}
