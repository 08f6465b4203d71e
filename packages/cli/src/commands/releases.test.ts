import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Release, ReleaseEvent } from '@perennial/contract';
import { perennial } from '../testing/command-line.ts';

const ID = 'rel_0190f2a0-0000-7000-8000-000000000001';
const AT = '2001-03-01T00:00:00.000Z';
const digest = `sha256:${'a'.repeat(64)}`;
const RELEASE: Release = {
  id: ID,
  model: 'churn',
  version: 3,
  state: 'pending',
  override: true,
  requestedBy: 'user:bob',
  requestedAt: AT,
  decidedBy: null,
  reason: 'the label was late',
  updatedAt: AT,
  approvers: 2,
  approvals: [
    {
      by: 'user:ada',
      at: AT,
      comment: 'fine',
      artifact: digest,
      gateReport: null,
      expiresAt: '2001-03-08T00:00:00.000Z',
    },
  ],
};
const EVENT: ReleaseEvent = {
  sequence: 1,
  at: AT,
  type: 'request',
  state: 'pending',
  by: 'user:bob',
  reason: 'the label was late',
};
const PAGE = { items: [RELEASE], nextCursor: null };

let server: Server;
let url: string;
let asked: { what: string; body: unknown }[];

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? null : JSON.parse(Buffer.concat(chunks).toString());
}

const answers: [RegExp, number, unknown][] = [
  [/^GET \/v1\/releases\?/, 200, PAGE],
  [/\/events/, 200, { items: [EVENT], nextCursor: null }],
  [/^POST .*\/comments$/, 201, { ...EVENT, sequence: 2, type: 'comment', reason: 'why now?' }],
  [/^POST .*\/versions\/3\/releases$/, 201, RELEASE],
  [/rollback$/, 200, { ...RELEASE, state: 'live', version: 2, override: false, approvers: 0, approvals: [] }],
  [/^(GET|POST) \/v1\/releases\/rel_/, 200, RELEASE],
];

beforeAll(async () => {
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const what = `${request.method} ${request.url}`;
      asked.push({ what, body });
      const [, status = 404, answer = {}] = answers.find(([pattern]) => pattern.test(what)) ?? [];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => (asked = []));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const said = async (...words: string[]) => {
  const { status, out, errors } = await perennial(...words, '--url', url);
  expect({ status, errors }).toEqual({ status: 0, errors: '' });
  return out;
};

describe('perennial releases', () => {
  it('lists them with who has approved and what was overridden', async () => {
    const out = await said('releases', '--model', 'churn', '--state', 'pending');
    expect(asked[0]?.what).toContain('model=churn');
    expect(asked[0]?.what).toContain('state=pending');
    expect(out).toContain('churn@3');
    expect(out).toContain('1 of 2 (user:ada), gate overridden');
  });

  it('refuses a state that there is not', async () => {
    expect(await perennial('releases', '--state', 'maybe', '--url', url)).toMatchObject({ status: 2 });
  });
});

describe('perennial release', () => {
  it('asks for a version, with override where it is said', async () => {
    await said('release', 'request', 'churn@3', '--reason', 'needed');
    await said('release', 'request', 'churn@3', '--reason', 'needed', '--override');
    const what = 'POST /v1/models/churn/versions/3/releases';
    expect(asked).toEqual([
      { what, body: { reason: 'needed', override: false } },
      { what, body: { reason: 'needed', override: true } },
    ]);
  });

  it.each(['approve', 'reject'])('sends a decision: %s', async (verb) => {
    expect(await said('release', verb, ID, '--reason', 'seen')).toContain(`${ID}: churn@3 is pending`);
    expect(asked).toEqual([{ what: `POST /v1/releases/${ID}/${verb}`, body: { reason: 'seen' } }]);
  });

  it('comments, and shows what happened', async () => {
    expect(await said('release', 'comment', ID, 'why now?')).toContain('user:bob');
    expect(asked[0]).toEqual({ what: `POST /v1/releases/${ID}/comments`, body: { comment: 'why now?' } });
    expect(await said('release', 'show', ID)).toContain('the label was late');
    expect(JSON.parse(await said('release', 'show', ID, '--json'))).toEqual({ ...RELEASE, events: [EVENT] });
  });

  it.each([
    [['request', 'churn', '--reason', 'x'], /names no version: write churn@3/],
    [['request', 'churn@3'], /--reason/],
    [['approve', ID], /--reason/],
  ])('takes no half command: %j', async (words, message) => {
    const { status, errors } = await perennial('release', ...words, '--url', url);
    expect(status).toBe(2);
    expect(errors).toMatch(message);
    expect(asked).toEqual([]);
  });
});

describe('perennial rollback', () => {
  it('goes back to the version before, or to the one that is named', async () => {
    expect(await said('rollback', 'churn', '--reason', 'wrong')).toContain(
      'churn@2 is live; approvals: by policy',
    );
    await said('rollback', 'churn', '--to', '2', '--reason', 'wrong');
    expect(asked).toEqual([
      { what: 'POST /v1/models/churn/rollback', body: { reason: 'wrong' } },
      { what: 'POST /v1/models/churn/rollback', body: { reason: 'wrong', to: 2 } },
    ]);
  });

  it('refuses what is no version', async () => {
    const { status, errors } = await perennial(
      'rollback',
      'churn',
      '--to',
      'v2',
      '--reason',
      'x',
      '--url',
      url,
    );
    expect(status).toBe(2);
    expect(errors).toContain("'v2' is not the number of a version");
  });
});
