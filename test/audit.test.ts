import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { perennial } from '@perennial/cli/testing';
import { createClient, type Client } from '@perennial/client';
import {
  FIRST_AUDIT_HASH,
  type ROUTES,
  type AuditAction,
  type AuditEntry,
  type Release,
  type RouteName,
} from '@perennial/contract';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { pipelineSource } from './harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { makeVisits, toCsv } from './harness/visits.ts';

/** Every route that is not only read from. */
type ChangingRoute = {
  [Name in RouteName]: (typeof ROUTES)[Name]['method'] extends 'GET' ? never : Name;
}[RouteName];

/** What a successful call of a route leaves in the audit; or why it leaves nothing there. A route that stands in neither form does not compile. */
type Step = { leaves: AuditAction; call: () => Promise<unknown> } | { exempt: string };

let test: TestPlatform;
let local: Client;
/** Another admin, since nobody may approve what they asked for. */
let other: Client;
/** What must stand in no entry. */
const secrets: string[] = [];

beforeAll(async () => {
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(makeVisits({ from: '2024-03-01', days: 15, perDay: 200 })),
      'pipelines/visits/pipeline.ts': pipelineSource({
        name: 'visits',
        train: 'mlp({ hidden: [4], epochs: 1, batchSize: 128 })',
        release: "{ approval: 'required' }",
      }),
      'pipelines/shop/pipeline.ts': pipelineSource({
        name: 'shop',
        train: 'mlp({ hidden: [4], epochs: 1, batchSize: 128 })',
        more: "serving: { modes: ['online', 'offline'] },",
      }),
    },
    // Nobody takes batches up, so that one can be cancelled before it ends.
    config: { webhooks: { allowPrivate: true }, queues: ['training', 'control', 'predictions'] },
  });
  local = test.client;
  await test.run('shop');
  other = createClient({ baseUrl: test.platform.url, token: await newToken('another admin') });
}, 240_000);
afterAll(() => test.stop());

async function newToken(name: string): Promise<string> {
  const { secret } = await local.createToken({ body: { name, roles: ['admin'] } });
  secrets.push(secret);
  return secret;
}

const visits = { model: 'visits', version: 1 };
const churn = { model: 'churn', version: 1 };
const tag = { key: 'team', value: 'growth' };
const reason = 'for the audit';

async function newRelease(): Promise<Release> {
  return local.requestRelease({ params: visits, body: { reason } });
}
async function pendingRelease(): Promise<string> {
  const { items } = await local.listReleases({ query: { model: 'visits', state: 'pending' } });
  return items[0]?.id ?? (await newRelease()).id;
}
/** A file that says of itself how often one was brought, since the same bytes are the same version. */
let brought = 0;
const bring = () =>
  local.importVersion({
    params: { model: 'churn' },
    body: {
      file: Buffer.from(goodFile(undefined, { metadata: { number: `${++brought}` } })).toString('base64'),
      sample: GOOD_SAMPLE,
      output: GOOD_OUTPUT,
    },
  });

async function putLive(version: number): Promise<void> {
  const body = { reason, override: true };
  const release = await local.requestRelease({ params: { model: 'churn', version }, body });
  if (release.state === 'pending')
    await other.approveRelease({ params: { release: release.id }, body: { reason } });
}

async function newPrecomputation(): Promise<string> {
  return (await local.startPrecomputation({ params: { model: 'shop' }, body: {} })).id;
}

async function newBackfill(): Promise<{ backfill: string }> {
  const body = { from: '2020-01-01', to: '2020-01-02' };
  return { backfill: (await local.startBackfill({ params: { pipeline: 'visits' }, body })).id };
}

async function newBatch(): Promise<{ batch: string }> {
  const input = { kind: 'files' as const, format: 'csv' as const, path: 'nowhere.csv' };
  const { id } = await local.startBatch({ params: { model: 'churn' }, body: { input, version: 1 } });
  return { batch: id };
}

async function newWebhook(): Promise<string> {
  const body = { url: 'http://127.0.0.1:9/services/hunter2', events: ['release.requested' as const] };
  const { id, secret } = await local.createWebhook({ body });
  secrets.push(secret, 'hunter2');
  return id;
}

async function openSession(): Promise<string> {
  const response = await test.request('/v1/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: await newToken(`browser ${secrets.length}`) }),
  });
  expect(response.status).toBe(201);
  const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';');
  secrets.push(cookie.slice(cookie.indexOf('=') + 1));
  return cookie;
}

const STEPS: Record<ChangingRoute, Step> = {
  predict: { exempt: 'A prediction is data; every one is on record by itself.' },
  predictAsync: {
    exempt: 'A prediction is data; it is kept with who asked for it, and every one is on record by itself.',
  },
  lookupPredictions: { exempt: 'Precomputed answers are predictions; every one is on record by itself.' },
  postGroundTruth: { exempt: 'Ground truth is data; it is added only, with who sent it.' },
  postStreamEvents: { exempt: 'The events of a stream are data; what they start is audited.' },
  startRun: {
    leaves: 'run.started',
    call: () => test.run('visits'),
  },
  importVersion: { leaves: 'version.registered', call: bring },
  createToken: { leaves: 'token.created', call: () => newToken('airline app') },
  revokeToken: {
    leaves: 'token.revoked',
    call: async () => {
      const { id } = await local.createToken({ body: { name: 'for a moment', roles: ['viewer'] } });
      await local.revokeToken({ params: { token: id } });
    },
  },
  openSession: { leaves: 'session.opened', call: openSession },
  closeSession: {
    leaves: 'session.closed',
    call: async () => {
      const headers = { cookie: await openSession(), origin: new URL(test.platform.url).origin };
      expect((await test.request('/v1/session', { method: 'DELETE', headers })).status).toBe(200);
    },
  },
  createWebhook: { leaves: 'webhook.created', call: newWebhook },
  deleteWebhook: {
    leaves: 'webhook.deleted',
    call: async () => local.deleteWebhook({ params: { webhook: await newWebhook() } }),
  },
  commentOnRelease: {
    leaves: 'release.commented',
    call: async () =>
      local.commentOnRelease({
        params: { release: await pendingRelease() },
        body: { comment: 'Looks well.' },
      }),
  },
  rejectRelease: {
    leaves: 'release.rejected',
    call: async () => other.rejectRelease({ params: { release: await pendingRelease() }, body: { reason } }),
  },
  requestRelease: { leaves: 'release.requested', call: newRelease },
  approveRelease: {
    leaves: 'release.approved',
    call: async () => other.approveRelease({ params: { release: await pendingRelease() }, body: { reason } }),
  },
  rollBack: {
    leaves: 'release.rolled-back',
    call: async () => {
      await bring();
      await putLive(1);
      await putLive(2);
      await local.rollBack({ params: { model: 'churn' }, body: { reason } });
    },
  },
  replayDelivery: {
    leaves: 'webhook.replayed',
    call: async () => {
      const { items: hooks } = await local.listWebhooks({ query: {} });
      const webhook = hooks[0]?.id ?? '';
      const { items } = await local.listDeliveries({ params: { webhook }, query: {} });
      await local.replayDelivery({ params: { delivery: items[0]?.id ?? '' } });
    },
  },
  changeEndpoint: {
    leaves: 'endpoint.changed',
    call: () =>
      local.changeEndpoint({ params: { model: 'churn' }, body: { serving: { modes: ['online'] }, reason } }),
  },
  changeModel: {
    leaves: 'model.changed',
    call: () => local.changeModel({ params: { model: 'churn' }, body: { description: 'Who leaves.' } }),
  },
  changeVersion: {
    leaves: 'version.changed',
    call: () => local.changeVersion({ params: churn, body: { description: 'The first.' } }),
  },
  tagModel: { leaves: 'model.tagged', call: () => local.tagModel({ params: { model: 'churn' }, body: tag }) },
  untagModel: {
    leaves: 'model.untagged',
    call: () => local.untagModel({ params: { model: 'churn', key: tag.key } }),
  },
  tagVersion: { leaves: 'version.tagged', call: () => local.tagVersion({ params: churn, body: tag }) },
  untagVersion: {
    leaves: 'version.untagged',
    call: () => local.untagVersion({ params: { ...churn, key: tag.key } }),
  },
  moveAlias: {
    leaves: 'alias.moved',
    call: () =>
      local.moveAlias({ params: { model: 'churn', alias: 'shadow' }, body: { version: 1, reason } }),
  },
  removeAlias: {
    leaves: 'alias.removed',
    call: () => local.removeAlias({ params: { model: 'churn', alias: 'shadow' } }),
  },
  changeRetention: {
    leaves: 'retention.changed',
    call: () => local.changeRetention({ body: { runs: { maxAge: '3650d', keepLast: null } } }),
  },
  erasePersonalData: {
    leaves: 'data.erased',
    call: () => local.erasePersonalData({ body: { key: 'visitor-1', reason } }),
  },
  startReproduction: {
    leaves: 'reproduction.started',
    call: () => local.startReproduction({ params: visits }),
  },
  startBatch: { leaves: 'batch.started', call: newBatch },
  cancelBatch: {
    leaves: 'batch.cancelled',
    call: async () => local.cancelBatch({ params: await newBatch() }),
  },
  startPrecomputation: { leaves: 'precomputation.started', call: newPrecomputation },
  cancelPrecomputation: {
    leaves: 'precomputation.cancelled',
    call: async () => {
      // Its workers may have ended it before.
      for (let ended = ''; ended !== 'cancelled';) {
        const params = { model: 'shop', precomputation: await newPrecomputation() };
        ended = (await local.cancelPrecomputation({ params })).state;
      }
    },
  },
  startBackfill: { leaves: 'backfill.started', call: newBackfill },
  stopBackfill: {
    leaves: 'backfill.stopped',
    call: async () => local.stopBackfill({ params: await newBackfill() }),
  },
  resumeBackfill: {
    leaves: 'backfill.resumed',
    call: async () => {
      const params = await newBackfill();
      await local.stopBackfill({ params });
      await local.resumeBackfill({ params });
    },
  },
  cancelRun: {
    leaves: 'run.cancelled',
    call: async () => {
      const { id } = await local.startRun({ params: { pipeline: 'visits' }, body: { force: true } });
      await local.cancelRun({ params: { run: id } });
    },
  },
  applyRetention: {
    leaves: 'retention.applied',
    call: async () => {
      await local.changeRetention({ body: { runs: { maxAge: '1m', keepLast: null } } });
      // The run that was just cancelled is needed by nothing.
      test.clock.advance(120_000);
      await local.applyRetention({});
    },
  },
};

async function newest(): Promise<number> {
  const { items } = await local.listAudit({ query: { limit: 1 } });
  return items[0]?.sequence ?? 0;
}

async function entriesAfter(sequence: number): Promise<AuditEntry[]> {
  const { items } = await local.listAudit({ query: { limit: 500 } });
  return items.filter((entry) => entry.sequence > sequence);
}

describe('a successful call', () => {
  it.each(Object.entries(STEPS))('of %s is in the audit', { timeout: 60_000 }, async (_, step) => {
    if ('exempt' in step) return expect(step.exempt).toMatch(/^[A-Z].*\.$/);
    const before = await newest();
    await step.call();
    const entry = (await entriesAfter(before)).find(({ action }) => action === step.leaves);
    expect(entry).toMatchObject({
      by: expect.stringMatching(/^(local$|token:)/) as string,
      subject: expect.stringMatching(/^[a-z-]+:\S/) as string,
      origin: expect.stringMatching(/^(127\.0\.0\.1|::1|::ffff:127\.0\.0\.1) \S+$/) as string,
    });
  });
});

describe('after all that', () => {
  it('no entry holds a secret', async () => {
    const entries: AuditEntry[] = [];
    for (let cursor: string | undefined, more = true; more;) {
      const page = await local.listAudit({
        query: { limit: 500, ...(cursor === undefined ? {} : { cursor }) },
      });
      entries.push(...page.items);
      cursor = page.nextCursor ?? undefined;
      more = cursor !== undefined;
    }
    expect(entries.length).toBeGreaterThan(Object.keys(STEPS).length);
    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(JSON.stringify(entries)).not.toContain(secret);
  });

  it('the chain is whole, and the command line says so with its head', async () => {
    const verified = await audit('verify');
    expect(verified).toMatchObject({ status: 0, errors: '' });
    expect(verified.out).toMatch(/^All \d+ entries are as they were written\.\nHead: sha256:[0-9a-f]{64}\n$/);
    const head = /sha256:\w+/.exec(verified.out)?.[0] ?? '';
    expect((await audit('verify', '--head', head)).status).toBe(0);
    expect(JSON.parse((await audit('verify', '--json')).out)).toMatchObject({
      valid: true,
      firstProblem: null,
    });
  });

  it('an end that was cut off has status 1', async () => {
    const lost = FIRST_AUDIT_HASH.replace(/.$/, '1');
    const { status, out } = await audit('verify', '--head', lost);
    expect(status).toBe(1);
    expect(out).toMatch(
      /^The audit was tampered with\. Entry \d+: no entry has the hash sha256:0+1: the end was cut off/,
    );
    expect((await audit('verify', '--head', 'sha256:1')).status).toBe(2);
  });

  it('the command line lists changes, of one subject, person and kind', async () => {
    const all = await audit();
    expect(all.out).toContain('run.cancelled');
    const tagged = await audit(
      '--subject',
      'model:churn',
      '--by',
      'local',
      '--action',
      'model.tagged',
      '--json',
    );
    const entries = JSON.parse(tagged.out) as AuditEntry[];
    expect(entries).toMatchObject([{ subject: 'model:churn', by: 'local', action: 'model.tagged' }]);
    expect(JSON.parse((await audit('--to', '2001-01-01T00:00:00Z', '--json')).out)).toEqual([]);
    expect((await audit('--from', 'yesterday')).errors).toContain("--from 'yesterday' is not an instant");
    expect((await audit('--action', 'model.sold')).status).toBe(2);
  });
});

function audit(...words: string[]) {
  return perennial('audit', ...words, '--url', test.platform.url);
}
