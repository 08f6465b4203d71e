import {
  CHAMPION,
  type Evaluation,
  type GateReport,
  type ReleasePolicy,
  type RunLineage,
  type TrainedCard,
  type Signature,
  type Verdict,
} from '@perennial/contract';
import {
  findVersionOfRun,
  insertEvaluation,
  insertModelVersion,
  findAlias,
  getModelVersion,
  listRecentVersions,
  listReleases,
  publishEvent,
  recordChange,
  takeVersionNumber,
  type Executor,
} from '@perennial/storage';
import { ChampionMovedError } from './errors.ts';
import { openRelease } from './promotion.ts';
import type { ReleaseContext } from './release-context.ts';
import { releaseByPolicy } from './release-decisions.ts';
import { decideTransition, type Actor } from './release-policy.ts';
import { readVersionToRelease } from './release-record.ts';

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
  /** As the run's pipeline said when it began. */
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
  /** Why no release was asked for, as a sentence; null where one was. */
  withheld: string | null;
}

/**
 * Registers a candidate as the model's next version with its card and evaluation, and releases it as its policy says: all in the caller's
 * transaction, so that no half-made version is ever visible. Registering the same run again changes nothing and says what became of its version.
 * @throws ChampionMovedError when the champion is no longer the one that the gate compared with
 */
export async function registerCandidate(
  tx: Executor,
  candidate: Candidate,
  context: ReleaseContext,
): Promise<Registration> {
  const { clock, ids } = context;
  const { model } = candidate;
  const known = await findVersionOfRun(tx, candidate.runId);
  if (known) return outcome(tx, candidate, known);
  const createdAt = clock.now();
  // Taking the number locks the model's row: from here on nobody else can move the champion.
  const version = await takeVersionNumber(tx, model, createdAt);
  await checkChampion(tx, candidate);
  const history = await listRecentVersions(tx, model, HISTORY);
  await insertVersion(tx, candidate, { version, createdAt, history });
  await insertEvaluation(tx, { id: ids.next(), model, version, evaluation: candidate.evaluation, createdAt });
  await announce(tx, { model, version }, { context, by: requesterOf(candidate).name });
  const withheld = await release(tx, candidate, { version, context });
  const live = await isChampion(tx, { model, version });
  return { version, verdict: candidate.gate.verdict, live, withheld };
}

/** What the first registration of the run came to. */
async function outcome(
  tx: Executor,
  candidate: Candidate,
  known: { model: string; version: number; gate: GateReport | null },
): Promise<Registration> {
  const { model, version } = known;
  // What a run registered has a report; only imported versions have none.
  const verdict = known.gate?.verdict ?? 'no-baseline';
  const { items } = await listReleases(tx, { model, version, limit: 1 }, candidate.asOf);
  const withheld = items.length > 0 ? null : 'No release was asked for.';
  return { version, verdict, live: await isChampion(tx, known), withheld };
}

/** On the record, and told to webhooks. */
async function announce(
  tx: Executor,
  { model, version }: { model: string; version: number },
  { context: { ids }, by }: { context: ReleaseContext; by: string },
): Promise<void> {
  const { card, ...data } = await getModelVersion(tx, model, version);
  const at = new Date(data.createdAt);
  const details = { artifact: data.artifact, run: data.lineage.kind === 'run' ? data.lineage.run : null };
  const subject = `version:${model}@${version}`;
  const origin = 'worker';
  recordChange(tx, { at, by, action: 'version.registered', subject, details, origin });
  await publishEvent(tx, { type: 'model-version.registered', model: card.model, data, at, ids });
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

/** A run's pipeline asks for the release of what the run made. */
function requesterOf({ lineage }: Candidate): Actor {
  return { name: `pipeline:${lineage.pipeline}`, roles: [], models: null, kind: 'policy' };
}

/**
 * Asks for a release where the gate lets the version through, and lets it go live where the policy does.
 * @returns why no release was asked for; null where one was
 */
async function release(
  tx: Executor,
  candidate: Candidate,
  { version, context }: { version: number; context: ReleaseContext },
): Promise<string | null> {
  const { model } = candidate;
  const actor = requesterOf(candidate);
  const now = context.clock.now();
  const wanted = { model, version, override: false, policy: candidate.release };
  const found = await readVersionToRelease(tx, wanted);
  const asked = { id: null, state: null, model, override: false, requestedBy: actor.name, approvals: [] };
  const decision = decideTransition({
    transition: 'request',
    actor,
    release: { ...asked, approvers: found.terms.approvers },
    version: found.version,
    now,
  });
  if (!decision.allowed) return decision.error.message;
  const name = { id: context.ids.next(), model, version };
  const deed = { by: actor.name, reason: candidate.gate.explanation, at: now, origin: 'worker' };
  await openRelease(tx, { ...name, ...found.terms, override: false }, { ...deed, ids: context.ids });
  if (found.terms.approvers === 0)
    await releaseByPolicy(tx, { ...name, record: found.version }, { ...deed, context });
  return null;
}

async function isChampion(
  tx: Executor,
  { model, version }: { model: string; version: number },
): Promise<boolean> {
  return (await findAlias(tx, model, CHAMPION))?.version === version;
}
