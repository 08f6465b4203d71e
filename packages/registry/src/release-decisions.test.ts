import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CHAMPION,
  ConflictError,
  NotFoundError,
  TransitionRefusedError,
  formatId,
  parseId,
  type Release,
  type ReleasePolicy,
} from '@perennial/contract';
import {
  findAlias,
  getRelease,
  insertWebhook,
  listAudit,
  listDeliveries,
  listReleaseEvents,
  listReleases,
  transaction,
  verifyAudit,
} from '@perennial/storage';
import { ReleaseRefusedError } from './errors.ts';
import { approveRelease, commentOnRelease, rejectRelease, requestRelease } from './release-decisions.ts';
import { ReleaseBench, person } from './testing/release-bench.ts';

const TWO: ReleasePolicy = { approval: 'required', approvers: 2, expires: '3d' };
const DAY = 86_400_000;
const ada = person('user:ada', 'approver');
const bob = person('user:bob', 'admin');
const olga = person('user:olga', 'operator');
const opened: ReleaseBench[] = [];
let bench: ReleaseBench;

beforeEach(async () => {
  bench = await ReleaseBench.open();
  opened.push(bench);
});
afterAll(async () => {
  for (const each of opened) await each.close();
});

const page = { limit: 100 };
const championOf = async () => (await findAlias(bench.db, bench.model, CHAMPION))?.version;
const yes = (release: Release) => ({ release: release.id, reason: 'looks right' });
const eventsOf = async ({ id }: Release) =>
  (await listReleaseEvents(bench.db, parseId('release', id), page)).items.map(
    ({ type, state, by }) => `${type} → ${state} by ${by}`,
  );
const auditOf = async ({ id }: Release) =>
  (await listAudit(bench.db, { ...page, subject: `release:${id}` })).items.map(
    ({ action, by, origin }) => `${action} by ${by} from ${origin}`,
  );
const newest = async () => {
  const { items } = await listReleases(bench.db, page, bench.clock.now());
  return items[0]!;
};
/** The release of a run's version, which waits for two people. */
async function waiting(): Promise<Release> {
  await bench.register(await bench.candidate({ verdict: 'no-baseline', against: null, release: TWO }));
  return newest();
}

describe('approveRelease', () => {
  it('lets a version live with the last of the approvals that its policy asks for, and not before', async () => {
    const release = await waiting();
    const first = await approveRelease(bench.desk, yes(release), ada);
    expect(first).toMatchObject({
      state: 'pending',
      approvals: [{ by: 'user:ada', comment: 'looks right' }],
    });
    expect(await championOf()).toBeUndefined();
    const second = await approveRelease(bench.desk, yes(release), bob);
    expect(second).toMatchObject({ state: 'live', decidedBy: 'user:bob' });
    expect(second.approvals.map(({ by }) => by)).toEqual(['user:ada', 'user:bob']);
    expect(await championOf()).toBe(1);
    expect(await eventsOf(release)).toEqual([
      'request → pending by pipeline:churn',
      'approval → pending by user:ada',
      'approve → approved by user:bob',
      'promote → live by user:bob',
    ]);
    expect((await auditOf(release)).reverse()).toEqual([
      'release.requested by pipeline:churn from worker',
      'release.approved by user:ada from 192.0.2.7 req_test',
      'release.approved by user:bob from 192.0.2.7 req_test',
      'release.live by user:bob from 192.0.2.7 req_test',
    ]);
    expect(await verifyAudit(bench.database)).toMatchObject({ valid: true });
  });

  it('counts one person once, who may renew what expired', async () => {
    const release = await waiting();
    await approveRelease(bench.desk, yes(release), ada);
    expect((await approveRelease(bench.desk, yes(release), ada)).approvals).toHaveLength(1);
    bench.clock.advance(3 * DAY);
    expect((await newest()).approvals).toEqual([]);
    expect(await approveRelease(bench.desk, yes(release), bob)).toMatchObject({ state: 'pending' });
    bench.clock.advance(1_000);
    const renewed = await approveRelease(bench.desk, yes(release), ada);
    expect(renewed.state).toBe('live');
    bench.clock.advance(30 * DAY);
    expect((await newest()).approvals.map(({ by }) => by)).toEqual(['user:bob', 'user:ada']);
  });

  it('lets two people who approve at once put it live once', async () => {
    const release = await waiting();
    const decided = await Promise.all([ada, bob].map((who) => approveRelease(bench.desk, yes(release), who)));
    expect(decided.map(({ state }) => state).sort()).toEqual(['live', 'pending']);
    expect((await eventsOf(release)).filter((event) => event.startsWith('promote'))).toHaveLength(1);
  });

  it('signs the version with the names of all who approved, in the same transaction', async () => {
    const release = await waiting();
    await approveRelease(bench.desk, yes(release), ada);
    const refusing = { attest: () => Promise.reject(new Error('no key')) };
    await expect(approveRelease({ ...bench.desk, signer: refusing }, yes(release), bob)).rejects.toThrow(
      'no key',
    );
    expect(await newest()).toMatchObject({ state: 'pending', approvals: [{ by: 'user:ada' }] });
    await approveRelease(bench.desk, yes(release), bob);
    const [{ payload } = { payload: '' }] = await bench.database.sql<{ payload: string }[]>`
      select envelope->>'payload' as payload from attestations`;
    const statement = JSON.parse(Buffer.from(payload, 'base64').toString()) as {
      predicate: { approvedBy: string[] };
    };
    expect(statement.predicate.approvedBy).toEqual(['user:ada', 'user:bob']);
  });

  it('refuses the role, and what has been decided', async () => {
    const release = await waiting();
    await expect(approveRelease(bench.desk, yes(release), olga)).rejects.toThrow(ReleaseRefusedError);
    const rejected = await rejectRelease(bench.desk, { release: release.id, reason: 'no' }, ada);
    expect(rejected).toMatchObject({ state: 'rejected', decidedBy: 'user:ada', reason: 'no' });
    await expect(approveRelease(bench.desk, yes(release), bob)).rejects.toThrow(
      /is rejected: 'approve' is not possible/,
    );
    expect(await championOf()).toBeUndefined();
  });

  it('knows no release of another id', async () => {
    const release = formatId('release', bench.ids.next());
    await expect(approveRelease(bench.desk, { release, reason: 'x' }, ada)).rejects.toThrow(NotFoundError);
  });
});

describe('requestRelease', () => {
  const wanted = (version: number, override = false) => ({
    model: bench.model,
    version,
    reason: 'the new one is late',
    override,
  });

  it('takes one person’s approval where the gate spoke of a champion of before', async () => {
    await bench.champions(3);
    const asked = await requestRelease(bench.desk, wanted(2), olga);
    expect(asked).toMatchObject({ state: 'pending', approvers: 1, requestedBy: 'user:olga' });
    expect(await approveRelease(bench.desk, yes(asked), ada)).toMatchObject({ state: 'live' });
    expect(await championOf()).toBe(2);
  });

  it('refuses what the gate refused, but for an admin with override, which stands on record', async () => {
    await bench.champions(1);
    await bench.register(await bench.candidate({ verdict: 'fail', against: 1 }));
    await expect(requestRelease(bench.desk, wanted(2), bob)).rejects.toThrow(/whose verdict is fail/);
    await expect(requestRelease(bench.desk, wanted(2, true), olga)).rejects.toThrow(/takes the role admin/);
    const forced = await requestRelease(bench.desk, wanted(2, true), bob);
    expect(forced).toMatchObject({ state: 'live', override: true, requestedBy: 'user:bob' });
    expect(await auditOf(forced)).toContain('release.overridden by user:bob from 192.0.2.7 req_test');
    expect(await championOf()).toBe(2);
  });

  it('asks for the policy’s approvals of an override too, and not from who asked', async () => {
    await bench.policy(TWO);
    await bench.champions(1);
    await bench.register(await bench.candidate({ verdict: 'fail', against: 1 }));
    const forced = await requestRelease(bench.desk, wanted(2, true), bob);
    expect(forced).toMatchObject({ state: 'pending', approvers: 2 });
    await expect(approveRelease(bench.desk, yes(forced), bob)).rejects.toThrow(/somebody else must approve/);
    await approveRelease(bench.desk, yes(forced), ada);
    const other = person('user:cid', 'admin');
    expect(await approveRelease(bench.desk, yes(forced), other)).toMatchObject({ state: 'live' });
  });

  it('supersedes what waits, and refuses what is live, is unknown or is another’s model', async () => {
    await bench.champions(3);
    const first = await requestRelease(bench.desk, wanted(1), olga);
    const second = await requestRelease(bench.desk, wanted(2), olga);
    expect((await getRelease(bench.db, parseId('release', first.id), bench.clock.now())).state).toBe(
      'superseded',
    );
    expect((await newest()).id).toBe(second.id);
    await expect(requestRelease(bench.desk, wanted(3), olga)).rejects.toThrow(ConflictError);
    await expect(requestRelease(bench.desk, wanted(9), olga)).rejects.toThrow(NotFoundError);
    const elsewhere = { ...olga, models: ['fraud'] };
    await expect(requestRelease(bench.desk, wanted(1), elsewhere)).rejects.toThrow(
      /may not act on the model/,
    );
    await expect(approveRelease(bench.desk, yes(first), ada)).rejects.toThrow(TransitionRefusedError);
  });
});

describe('what others are told', () => {
  it('is every step, once, in the order in which it was made', async () => {
    const { clock, ids } = bench;
    const events = [
      'model-version.registered',
      'release.requested',
      'release.approved',
      'release.live',
      'release.superseded',
    ] as const;
    const hook = { url: 'https://hooks.example.org', events: [...events], model: null, secret: 'whsec_x' };
    const id = ids.next();
    await transaction(bench.database, (tx) =>
      insertWebhook(tx, { ...hook, id, createdBy: 'test', createdAt: clock.now() }),
    );
    await bench.champions(2);
    const { items } = await listDeliveries(bench.db, id, page);
    const once = ['model-version.registered', 'release.requested', 'release.approved'];
    expect(items.map(({ event }) => event.type).reverse()).toEqual([
      ...once,
      'release.live',
      ...once,
      'release.superseded',
      'release.live',
    ]);
    expect(items[0]?.event.data).toMatchObject({ model: bench.model, version: 2, state: 'live' });
  });
});

describe('commentOnRelease', () => {
  it('stands in the history, and changes nothing else', async () => {
    const release = await waiting();
    const said = { release: release.id, comment: 'What about the weekend?' };
    const event = await commentOnRelease(bench.desk, said, person('user:vic', 'viewer'));
    expect(event).toMatchObject({ sequence: 2, type: 'comment', state: 'pending', by: 'user:vic' });
    expect(event.reason).toBe('What about the weekend?');
    expect(await newest()).toEqual(release);
    expect(await eventsOf(release)).toContain('comment → pending by user:vic');
  });
});
