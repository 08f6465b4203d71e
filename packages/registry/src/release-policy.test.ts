import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RELEASE_TRANSITIONS,
  TransitionRefusedError,
  releaseStateSchema,
  roleSchema,
  type Approval,
  type ReleaseState,
  type Verdict,
} from '@perennial/contract';
import { ReleaseRefusedError } from './errors.ts';
import {
  approvalTerms,
  decideTransition,
  gateLetsThrough,
  standingApprovers,
  type Actor,
  type DecidedTransition,
  type ReleaseInQuestion,
  type TransitionQuestion,
  type VersionInQuestion,
} from './release-policy.ts';

const NOW = new Date('2001-02-01T03:00:00Z');
const ARTIFACT = `sha256:${'a'.repeat(64)}`;
const REPORT = `sha256:${'b'.repeat(64)}`;
const OTHER = `sha256:${'c'.repeat(64)}`;

/** From where each transition leads on; null: nothing has been requested yet. */
const FROM: Record<DecidedTransition, ReleaseState | null> = {
  request: null,
  approve: 'pending',
  promote: 'approved',
  reject: 'pending',
  supersede: 'live',
  'roll-back': 'live',
  restore: 'superseded',
};
const TRANSITIONS = Object.keys(FROM) as DecidedTransition[];

const approval = (by: string, changes: Partial<Approval> = {}): Approval => ({
  by,
  at: '2001-02-01T02:00:00.000Z',
  comment: 'yes',
  artifact: ARTIFACT,
  gateReport: REPORT,
  expiresAt: '2001-02-08T02:00:00.000Z',
  ...changes,
});
const actor = (name: string, changes: Partial<Actor> = {}): Actor => ({
  name,
  roles: [],
  models: null,
  kind: 'person',
  ...changes,
});
const release = (changes: Partial<ReleaseInQuestion> = {}): ReleaseInQuestion => ({
  id: 'rel_1',
  model: 'churn',
  state: 'pending',
  override: false,
  requestedBy: 'pipeline:churn',
  approvers: 1,
  approvals: [],
  ...changes,
});
const version = (changes: Partial<VersionInQuestion> = {}): VersionInQuestion => ({
  version: 3,
  artifact: ARTIFACT,
  gateReport: REPORT,
  verdict: 'pass',
  inconclusive: 'hold',
  rolledBack: false,
  ...changes,
});
const question = (changes: Partial<TransitionQuestion>): TransitionQuestion => {
  const transition = changes.transition ?? 'approve';
  return {
    transition,
    actor: actor('ada', { roles: ['admin'] }),
    release: release({ state: FROM[transition] }),
    version: version(),
    now: NOW,
    ...changes,
  };
};
/** `yes`, or the sentence that says what is missing. */
const answer = (changes: Partial<TransitionQuestion>) => {
  const decision = decideTransition(question(changes));
  return decision.allowed ? 'yes' : decision.error.message;
};

const ACTORS: Actor[] = [
  actor('nobody'),
  ...roleSchema.options.map((role) => actor(role, { roles: [role] })),
  actor('policy:automatic', { kind: 'policy' }),
];
const VERDICTS: [Verdict | null, 'hold' | 'release'][] = [
  ['pass', 'hold'],
  ['no-baseline', 'hold'],
  ['inconclusive', 'hold'],
  ['inconclusive', 'release'],
  ['fail', 'hold'],
  ['fail', 'release'],
  [null, 'hold'],
];
/** Who may do what, as docs/releases.md has it; a release with all its approvals. */
const MAY: Record<DecidedTransition, string[]> = {
  request: ['operator', 'admin', 'policy:automatic'],
  approve: ['approver', 'admin', 'policy:automatic'],
  promote: ['approver', 'admin', 'policy:automatic'],
  reject: ['approver', 'admin'],
  supersede: ['operator', 'approver', 'admin', 'policy:automatic'],
  'roll-back': ['approver', 'admin'],
  restore: ['approver', 'admin'],
};
const ASKS_THE_GATE: DecidedTransition[] = ['request', 'approve', 'promote'];
const LETS_THROUGH = ['pass hold', 'no-baseline hold', 'inconclusive release', 'null hold'];

const cases = ACTORS.flatMap((who) =>
  TRANSITIONS.flatMap((transition) =>
    VERDICTS.flatMap(([verdict, inconclusive]) =>
      [0, 2].flatMap((approvers) =>
        [false, true].map((override) => ({ who, transition, verdict, inconclusive, approvers, override })),
      ),
    ),
  ),
);

describe('decideTransition', () => {
  it(`decides every role × transition × verdict × policy (${cases.length}) by the table`, () => {
    for (const { who, transition, verdict, inconclusive, approvers, override } of cases) {
      const gate = override || LETS_THROUGH.includes(`${verdict} ${inconclusive}`);
      const policyStops = who.kind === 'policy' && transition === 'approve' && approvers > 0;
      const overrideStops = transition === 'request' && override && who.name !== 'admin';
      const expected =
        MAY[transition].includes(who.name) &&
        (!ASKS_THE_GATE.includes(transition) || gate) &&
        !policyStops &&
        !overrideStops;
      const approvals = [approval('eve'), approval('bob')];
      const { allowed } = decideTransition(
        question({
          transition,
          actor: who,
          release: release({ state: FROM[transition], approvers, override, approvals }),
          version: version({ verdict, inconclusive }),
        }),
      );
      expect({ who: who.name, transition, verdict, inconclusive, approvers, override, allowed }).toEqual({
        who: who.name,
        transition,
        verdict,
        inconclusive,
        approvers,
        override,
        allowed: expected,
      });
    }
  });

  it('refuses what the state machine does not have, from every state, even to an admin', () => {
    for (const state of releaseStateSchema.options) {
      for (const transition of TRANSITIONS) {
        const possible = transition in RELEASE_TRANSITIONS[state];
        const approvals = [approval('eve')];
        const decision = decideTransition(question({ transition, release: release({ state, approvals }) }));
        expect([state, transition, decision.allowed]).toEqual([state, transition, possible]);
        if (!decision.allowed) expect(decision.error).toBeInstanceOf(TransitionRefusedError);
      }
    }
  });

  it.each<[string, Partial<TransitionQuestion>, string]>([
    [
      'the role',
      { transition: 'roll-back', actor: actor('token:nightly', { roles: ['operator'] }) },
      "To roll back a release of 'churn' takes the role approver, which 'token:nightly' does not have.",
    ],
    [
      'the model',
      { actor: actor('ada', { roles: ['admin'], models: ['fraud'] }) },
      "'ada' may not act on the model 'churn'.",
    ],
    [
      'somebody else',
      { release: release({ requestedBy: 'ada' }) },
      "'ada' asked for this release: somebody else must approve it.",
    ],
    [
      'the gate’s word',
      { version: version({ verdict: 'fail' }) },
      "Version 3 of 'churn' was not let through by its gate, whose verdict is fail: only an admin may let it through, by a request with override and a reason.",
    ],
    [
      'a version that was not rolled back',
      { version: version({ rolledBack: true }) },
      "Version 3 of 'churn' was rolled back: only an admin may let it through, by a request with override and a reason.",
    ],
    [
      'an admin’s word',
      {
        transition: 'request',
        actor: actor('bob', { roles: ['operator', 'approver'] }),
        release: release({ state: null, override: true }),
      },
      "To override the gate takes the role admin, which 'bob' does not have.",
    ],
    [
      'people',
      { actor: actor('policy:automatic', { kind: 'policy' }), release: release({ approvers: 2 }) },
      "This release waits for 2 approvers: 'policy:automatic' cannot approve it.",
    ],
    [
      'approvals',
      {
        transition: 'promote',
        release: release({ state: 'approved', approvers: 2, approvals: [approval('eve')] }),
      },
      'This release needs 2 approvals of what is on record now, and has 1.',
    ],
  ])('says that %s is missing', (...[, changes, sentence]) => {
    expect(answer(changes)).toBe(sentence);
    const decision = decideTransition(question(changes));
    expect(!decision.allowed && decision.error).toBeInstanceOf(ReleaseRefusedError);
  });

  it('lets an admin who asked for an override approve it no more than anybody’s own request', () => {
    const own = release({ override: true, requestedBy: 'ada' });
    expect(answer({ release: own })).toMatch(/^'ada' asked for this release/);
    expect(answer({ release: own, actor: actor('bob', { roles: ['admin'] }) })).toBe('yes');
  });

  it('tells somebody without the role nothing about the release', () => {
    const rejected = release({ state: 'rejected' });
    expect(answer({ actor: actor('bob', { roles: ['viewer'] }), release: rejected })).toMatch(
      /takes the role/,
    );
  });
});

describe('standingApprovers', () => {
  const counted = (approvals: Approval[], requestedBy = 'pipeline:churn') =>
    standingApprovers({ release: release({ approvals, requestedBy }), version: version(), now: NOW });

  it('counts each person once, and never the requester', () => {
    expect(counted([approval('eve'), approval('bob'), approval('eve')])).toEqual(['eve', 'bob']);
    expect(counted([approval('eve'), approval('bob')], 'bob')).toEqual(['eve']);
  });

  it.each([
    ['has expired', { expiresAt: NOW.toISOString() }],
    ['was given on another artifact', { artifact: OTHER }],
    ['was given on another gate report', { gateReport: OTHER }],
    ['was given without a gate report', { gateReport: null }],
  ])('does not count one that %s', (_, changes) => {
    expect(counted([approval('eve', changes)])).toEqual([]);
  });

  it('never lets a release go live with fewer people than it asks for', () => {
    const people = fc.constantFrom('ann', 'bob', 'cid', 'dan', 'eve');
    const given = fc.array(fc.record({ by: people, fresh: fc.boolean(), same: fc.boolean() }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(given, fc.integer({ min: 0, max: 4 }), people, (said, approvers, requestedBy) => {
        const approvals = said.map(({ by, fresh, same }) =>
          approval(by, {
            artifact: same ? ARTIFACT : OTHER,
            expiresAt: fresh ? '2001-02-02T00:00:00.000Z' : '2001-01-01T00:00:00.000Z',
          }),
        );
        const valid = said.filter(({ by, fresh, same }) => fresh && same && by !== requestedBy);
        const enough = new Set(valid.map(({ by }) => by)).size >= Math.max(1, approvers);
        const { allowed } = decideTransition(
          question({
            transition: 'promote',
            release: release({ state: 'approved', approvers, approvals, requestedBy }),
          }),
        );
        expect(allowed).toBe(enough);
      }),
    );
  });
});

describe('gateLetsThrough', () => {
  it.each([
    ['pass', 'hold', true],
    ['no-baseline', 'hold', true],
    ['inconclusive', 'hold', false],
    ['inconclusive', 'release', true],
    ['fail', 'hold', false],
    ['fail', 'release', false],
  ] as const)('of verdict %s where inconclusive is to %s: %s', (verdict, inconclusive, through) => {
    expect(gateLetsThrough(verdict, inconclusive)).toBe(through);
  });
});

describe('approvalTerms', () => {
  const automatic = { approval: 'automatic' } as const;
  const required = { approval: 'required', approvers: 2, expires: '3d' } as const;
  const terms = (changes: Partial<Parameters<typeof approvalTerms>[0]>) =>
    approvalTerms({
      policy: automatic,
      imported: false,
      champion: 2,
      comparedWith: 2,
      override: false,
      ...changes,
    }).approvers;

  it('asks for what the policy requires, whatever else is so', () => {
    expect(approvalTerms({ ...base(), policy: required })).toEqual({ approvers: 2, approvalsExpire: '3d' });
    expect(terms({ policy: required, override: true })).toBe(2);
    expect(terms({ policy: required, champion: null, comparedWith: null, imported: true })).toBe(2);
  });

  it('asks for nobody where an automatic policy’s gate has compared with the champion of the moment', () => {
    expect(terms({})).toBe(0);
    expect(terms({ champion: null, comparedWith: null })).toBe(0);
  });

  it('asks for one person where the gate’s word is about a champion of before, but for an admin’s override', () => {
    expect(terms({ comparedWith: 1 })).toBe(1);
    expect(terms({ comparedWith: 1, override: true })).toBe(0);
  });

  it('asks for one person of a version that no gate has seen, unless there is nothing to be worse than', () => {
    const imported = { policy: null, imported: true, comparedWith: null };
    expect(terms({ ...imported, champion: null })).toBe(0);
    expect(terms({ ...imported, champion: 2 })).toBe(1);
    expect(terms({ ...imported, champion: 2, override: true })).toBe(1);
  });

  function base() {
    return { imported: false, champion: 2, comparedWith: 2, override: false };
  }
});
