import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoint, Page, Residency } from '@perennial/contract';
import { perennial } from '../testing/command-line.ts';

const ENDPOINTS: Page<Endpoint> = {
  items: [
    {
      name: 'visits',
      model: 'visits',
      serving: { modes: ['online', 'offline'], cache: { predictions: { maxAge: '15m' } } },
      source: 'pipeline',
      precomputation: null,
      updatedAt: '2001-03-01T00:00:00.000Z',
      updatedBy: 'pipeline:visits',
    },
  ],
  nextCursor: null,
};
const RESIDENCY: Residency = {
  memoryBytes: 400_000_000,
  residents: 1,
  residentBytes: 209_342,
  loads: 3,
  evictions: 2,
  coldRequests: 3,
  coldRefused: 0,
  coldWaiting: 0,
  models: [
    {
      model: 'visits',
      version: 7,
      state: 'resident',
      bytes: 209_342,
      requests: 12,
      users: 1,
      loadedAt: '2001-03-01T00:00:00.000Z',
      lastUsedAt: '2001-03-02T00:00:00.000Z',
    },
  ],
  refused: [{ model: 'churn', version: 2, problem: 'nobody has approved and signed it' }],
};
const ANSWERS: Record<string, unknown> = {
  '/v1/endpoints': ENDPOINTS,
  '/v1/serving/residents': RESIDENCY,
};

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = ANSWERS[(request.url ?? '').replace(/\?.*/, '')];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it('shows how models are served', async () => {
  const { status, out } = await perennial('endpoints', '--url', url);
  expect(status).toBe(0);
  expect(out).toMatch(/visits.*online, offline.*15m.*pipeline/);
});

it('shows once, where nobody watches, what is in memory and what is refused', async () => {
  const { status, out } = await perennial('endpoints', 'top', '--url', url);
  expect(status).toBe(0);
  expect(out).toContain('1 in memory, 0.21 of 400.00 MB');
  expect(out).toMatch(/visits.*7.*resident.*0\.21.*12.*1/);
  expect(out).toContain('refused: churn@2: nobody has approved and signed it');
});

it('prints JSON', async () => {
  const { out } = await perennial('endpoints', 'top', '--json', '--url', url);
  expect(JSON.parse(out)).toEqual(RESIDENCY);
});
