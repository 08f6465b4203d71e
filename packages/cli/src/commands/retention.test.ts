import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RetentionPolicy, RetentionReport } from '@perennial/contract';
import { perennial } from '../testing/command-line.ts';

const FOR_EVER = { maxAge: null, keepLast: null };
const POLICY: RetentionPolicy = {
  predictions: { maxAge: '400d', keepLast: null },
  datasets: { maxAge: '90d', keepLast: 5 },
  artifacts: FOR_EVER,
  runs: { maxAge: null, keepLast: 7 },
};
const REPORT: RetentionReport = {
  at: '2001-03-01T00:00:00.000Z',
  dryRun: true,
  parts: [
    { kind: 'predictions', items: 1, rows: 20, bytes: 300, names: ['2000-01-01'], kept: [] },
    {
      kind: 'artifacts',
      items: 0,
      rows: null,
      bytes: 0,
      names: [],
      kept: [{ name: 'sha256:ab', reason: 'champion of visits' }],
    },
  ],
};
const ERASED = {
  key: 'ada',
  predictions: 2,
  groundTruth: 1,
  entityFeatures: 4,
  precomputedPredictions: 3,
  datasets: ['sha256:d'],
  remaining: ['sha256:e'],
};
const EXPORT = { key: 'ada', predictions: [], groundTruth: [], datasets: [], truncated: false };

const ANSWERS: Record<string, unknown> = {
  'GET /v1/retention': POLICY,
  'PATCH /v1/retention': POLICY,
  'GET /v1/retention/plan': REPORT,
  'POST /v1/retention/apply': { ...REPORT, dryRun: false },
  'GET /v1/personal-data?key=ada': EXPORT,
  'POST /v1/personal-data/erasures': ERASED,
};

let server: Server;
let url: string;
let asked: { route: string; body: unknown }[];
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const route = `${request.method} ${request.url}`;
      asked.push({ route, body: text === '' ? undefined : JSON.parse(text) });
      const answer = ANSWERS[route];
      response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? {}));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
});

const say = (...words: string[]) => perennial(...words, '--url', url);

describe('perennial retention', () => {
  it('shows the rules in words', async () => {
    const { status, out } = await say('retention');
    expect(status).toBe(0);
    expect(out).toMatch(/predictions +.*for 400d/);
    expect(out).toMatch(/datasets +.*for 90d, and the last 5/);
    expect(out).toMatch(/artifacts +.*for ever/);
    expect(out).toMatch(/runs +.*the last 7/);
  });

  it.each([
    [['--max-age', '400d'], { maxAge: '400d', keepLast: null }],
    [['--max-age', '4w', '--keep-last', '3'], { maxAge: '4w', keepLast: 3 }],
    [['--forever'], FOR_EVER],
  ])('changes the rule of one kind: %j', async (options, rule) => {
    expect((await say('retention', 'set', 'runs', ...options)).status).toBe(0);
    expect(asked).toEqual([{ route: 'PATCH /v1/retention', body: { runs: rule } }]);
  });

  it.each([
    [['runs'], /Say what is kept/],
    [['runs', '--max-age', 'long'], /'long' is not an age/],
    [['runs', '--keep-last', '0'], /'0' is not a number from 1/],
    [['runs', '--forever', '--max-age', '1d'], /cannot be used with/],
    [['books', '--forever'], /Allowed choices are predictions/],
  ])('refuses %j, and asks nothing', async (words, message) => {
    const { status, errors } = await say('retention', 'set', ...words);
    expect([status, asked]).toEqual([2, []]);
    expect(errors).toMatch(message);
  });

  it('says what would go, what is kept and why, and what went', async () => {
    const { out } = await say('retention', 'plan');
    expect(out).toMatch(/would go/);
    expect(out).toMatch(/sha256:ab.*champion of visits/);
    expect((await say('retention', 'apply')).out).toMatch(/went/);
    expect(JSON.parse((await say('retention', 'plan', '--json')).out)).toEqual(REPORT);
  });
});

describe('perennial personal-data', () => {
  it('prints what is on record as JSON', async () => {
    expect(JSON.parse((await say('personal-data', 'export', 'ada')).out)).toEqual(EXPORT);
  });

  it('erases with a reason, and names what still holds the key', async () => {
    const { out } = await say('personal-data', 'erase', 'ada', '--reason', 'asked', '--datasets');
    expect(asked[0]?.body).toEqual({ key: 'ada', reason: 'asked', datasets: true });
    expect(out).toContain(
      '2 predictions and 1 facts erased\n4 last known rows and 3 precomputed answers erased\nremoved: sha256:d\nstill has rows of it: sha256:e',
    );
    expect((await say('personal-data', 'erase', 'ada')).status).toBe(2);
  });
});
