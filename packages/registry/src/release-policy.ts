import {
  RELEASE_TRANSITIONS,
  TransitionRefusedError,
  allows,
  nextState,
  type Approval,
  type Digest,
  type GateSpec,
  type Release,
  type ReleasePolicy,
  type ReleaseState,
  type ReleaseTransition,
  type Role,
  type Verdict,
} from '@perennial/contract';
import { ReleaseRefusedError } from './errors.ts';

/** What may be asked of a release: to be made, or to be moved. */
export type DecidedTransition = 'request' | ReleaseTransition;

/** Who asks. */
export interface Actor {
  /** As it stands in events and audit: `token:airline app`, `policy:automatic`, `pipeline:flight-delay`. */
  name: string;
  roles: readonly Role[];
  /** The models that it may act on; null: all. */
  models: readonly string[] | null;
  /** A policy does what its author wrote down, has no roles and can approve nothing that asks for people. */
  kind: 'person' | 'policy';
}

/** The release that is asked about; one that is being requested has no id and no state yet. */
export type ReleaseInQuestion = Pick<
  Release,
  'model' | 'override' | 'requestedBy' | 'approvers' | 'approvals'
> & {
  id: string | null;
  state: ReleaseState | null;
};

/** What is on record of the release's version. */
export interface VersionInQuestion {
  version: number;
  artifact: Digest;
  /** Digest of the gate report's canonical JSON; null where an imported version has none. */
  gateReport: Digest | null;
  /** Null of an imported version. */
  verdict: Verdict | null;
  inconclusive: GateSpec['inconclusive'];
  /** Whether it, or another version of the same bytes, was taken out of production and has not come back since. */
  rolledBack: boolean;
}

export interface TransitionQuestion {
  transition: DecidedTransition;
  actor: Actor;
  release: ReleaseInQuestion;
  version: VersionInQuestion;
  now: Date;
}

export type TransitionDecision =
  { allowed: true } | { allowed: false; error: ReleaseRefusedError | TransitionRefusedError };

/**
 * The one place that decides whether a release may be asked for or moved, for the page, the command line, MLflow's clients, tokens and the scheduler alike. Pure: it
 * knows what it is given. To `approve` is to say one's yes; whether enough have said it is what `promote` asks.
 */
export function decideTransition(question: TransitionQuestion): TransitionDecision {
  const { transition, release } = question;
  const unauthorised = outOfScope(question) ?? roleMissing(question);
  if (unauthorised !== undefined) return refuse(question, unauthorised);
  const impossible = impossibleFrom(question);
  if (impossible !== undefined) return { allowed: false, error: impossible };
  const missing = CONDITIONS[transition].map((condition) => condition(question)).find(Boolean);
  return missing === undefined ? { allowed: true } : refuse({ transition, release }, missing);
}

/** @throws ReleaseRefusedError, TransitionRefusedError */
export function demandTransition(question: TransitionQuestion): void {
  const decision = decideTransition(question);
  if (!decision.allowed) throw decision.error;
}

function refuse(
  { transition, release }: Pick<TransitionQuestion, 'transition' | 'release'>,
  reason: string,
): TransitionDecision {
  return { allowed: false, error: new ReleaseRefusedError(release.model, transition, reason) };
}

/** What is missing, as a sentence. */
type Condition = (question: TransitionQuestion) => string | undefined;

/** In the order in which they are told. */
const CONDITIONS: Record<DecidedTransition, readonly Condition[]> = {
  request: [overrideTakesAdmin, notLetThrough],
  approve: [ownRequest, peopleMustApprove, notLetThrough],
  promote: [notLetThrough, approvalsMissing],
  reject: [],
  supersede: [],
  'roll-back': [],
  restore: [rolledBackSince],
};

function outOfScope({ actor, release: { model } }: TransitionQuestion): string | undefined {
  if (actor.models === null || actor.models.includes(model)) return undefined;
  return `'${actor.name}' may not act on the model '${model}'.`;
}

/** Any of the roles will do: a release is superseded by whoever requests or approves the next. Null where a policy may do it too. */
const ROLES: Record<DecidedTransition, { roles: readonly Role[]; policy: boolean; deed: string }> = {
  request: { roles: ['operator'], policy: true, deed: 'request' },
  approve: { roles: ['approver'], policy: true, deed: 'approve' },
  promote: { roles: ['approver'], policy: true, deed: 'promote' },
  reject: { roles: ['approver'], policy: false, deed: 'reject' },
  supersede: { roles: ['operator', 'approver'], policy: true, deed: 'supersede' },
  'roll-back': { roles: ['approver'], policy: false, deed: 'roll back' },
  restore: { roles: ['approver'], policy: false, deed: 'restore' },
};

function roleMissing({ actor, transition, release: { model } }: TransitionQuestion): string | undefined {
  const { roles, policy, deed } = ROLES[transition];
  const may = actor.kind === 'policy' ? policy : roles.some((role) => allows(actor.roles, role));
  if (may) return undefined;
  const needed = `To ${deed} a release of '${model}' takes the role ${roles.join(' or ')}`;
  return `${needed}, which '${actor.name}' does not have.`;
}

function impossibleFrom({ transition, release }: TransitionQuestion): TransitionRefusedError | undefined {
  const { id, state } = release;
  if (transition === 'request' && state === null) return undefined;
  const possible =
    transition !== 'request' &&
    state !== null &&
    nextState(RELEASE_TRANSITIONS, state, transition) !== undefined;
  if (possible) return undefined;
  const subject = { kind: 'release', id: id ?? `of ${release.model}` };
  return new TransitionRefusedError(subject, state ?? 'not requested', transition);
}

function overrideTakesAdmin({ actor, release }: TransitionQuestion): string | undefined {
  const may = actor.kind === 'person' && allows(actor.roles, 'admin');
  if (!release.override || may) return undefined;
  return `To override the gate takes the role admin, which '${actor.name}' does not have.`;
}

/** The gate's word, unless an admin has overridden it. */
function notLetThrough(question: TransitionQuestion): string | undefined {
  const { release, version } = question;
  if (release.override) return undefined;
  const name = `Version ${version.version} of '${release.model}'`;
  const way = 'only an admin may let it through, by a request with override and a reason.';
  if (version.rolledBack) return `${name} was rolled back: ${way}`;
  if (version.verdict === null || gateLetsThrough(version.verdict, version.inconclusive)) return undefined;
  return `${name} was not let through by its gate, whose verdict is ${version.verdict}: ${way}`;
}

/** Whether a verdict lets a version into production. An inconclusive one holds it, unless the gate says that it is to be taken as a pass. */
export function gateLetsThrough(verdict: Verdict, inconclusive: GateSpec['inconclusive']): boolean {
  switch (verdict) {
    case 'pass':
    case 'no-baseline':
      return true;
    case 'inconclusive':
      return inconclusive === 'release';
    case 'fail':
      return false;
  }
}

function ownRequest({ actor, release }: TransitionQuestion): string | undefined {
  if (actor.name !== release.requestedBy) return undefined;
  return `'${actor.name}' asked for this release: somebody else must approve it.`;
}

function peopleMustApprove({ actor, release: { approvers } }: TransitionQuestion): string | undefined {
  if (actor.kind === 'person' || approvers === 0) return undefined;
  return `This release waits for ${count(approvers, 'approver')}: '${actor.name}' cannot approve it.`;
}

function approvalsMissing(question: TransitionQuestion): string | undefined {
  const { actor, release } = question;
  const needed = actor.kind === 'person' ? approversNeeded(release) : release.approvers;
  const held = standingApprovers(question).length;
  if (held >= needed) return undefined;
  return `This release needs ${count(needed, 'approval')} of what is on record now, and has ${held}.`;
}

/** A release that waits takes at least one person's yes, whatever the policy was when it was asked for. */
export function approversNeeded({ approvers }: Pick<Release, 'approvers'>): number {
  return Math.max(1, approvers);
}

/** The different people whose approvals count at this moment: not expired, given on the very artifact and gate report on record, none of them the requester. */
export function standingApprovers({
  release,
  version,
  now,
}: Pick<TransitionQuestion, 'release' | 'version' | 'now'>): string[] {
  const counts = ({ by, expiresAt, artifact, gateReport }: Approval) =>
    by !== release.requestedBy &&
    Date.parse(expiresAt) > now.getTime() &&
    artifact === version.artifact &&
    gateReport === version.gateReport;
  return [...new Set(release.approvals.filter(counts).map(({ by }) => by))];
}

function rolledBackSince({ release, version }: TransitionQuestion): string | undefined {
  if (!version.rolledBack) return undefined;
  return `Version ${version.version} of '${release.model}' was rolled back: it cannot be restored.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** What a release asks for before it may go live. */
export interface ApprovalTerms {
  /** Different people that must approve; 0 where the policy does. */
  approvers: number;
  /** How long an approval holds: `7d`. */
  approvalsExpire: string;
}

const DEFAULT_EXPIRY = '7d';

/**
 * What a policy asks for of a release. An automatic one lets a version through by itself only while the gate's word is about the champion of the moment: a verdict
 * against a champion of before, and a version that no gate has seen, take one person's approval unless there is nothing to be worse than. An admin's override stands in for the
 * gate's word, never for the approvals that a policy requires.
 */
export function approvalTerms({
  policy,
  imported,
  champion,
  comparedWith,
  override,
}: {
  /** Null where the model has no pipeline. */
  policy: ReleasePolicy | null;
  imported: boolean;
  /** The champion of the moment, and the one that the gate compared with. */
  champion: number | null;
  comparedWith: number | null;
  override: boolean;
}): ApprovalTerms {
  if (policy?.approval === 'required')
    return { approvers: policy.approvers, approvalsExpire: policy.expires };
  const judged = !imported && (override || champion === comparedWith);
  return { approvers: judged || champion === null ? 0 : 1, approvalsExpire: DEFAULT_EXPIRY };
}
