import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, dataCardSchema, modelCardViewSchema, toolkitCardSchema } from '@perennial/contract';
import { registerCandidate } from '@perennial/registry';
import { makeCandidate, seed, testSigning } from '@perennial/registry/testing';
import { transaction } from '@perennial/storage';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let test: TestPlatform;
let dataCard: string;
const modelCard = '/v1/models/churn/versions/1/card';

beforeAll(async () => {
  test = await startTestPlatform();
  const { database, clock } = test;
  const ids = new IdGenerator(clock);
  await seed(database);
  const candidate = await makeCandidate({ database, ids, verdict: 'no-baseline', against: null });
  await transaction(database, (tx) =>
    registerCandidate(tx, candidate, { clock, ids, signer: testSigning().signer }),
  );
  dataCard = `/v1/datasets/${encodeURIComponent(candidate.dataset)}/card`;
});
afterAll(() => test.stop());

const ask = (path: string, accept?: string) =>
  test.request(path, accept === undefined ? {} : { headers: { accept } });

describe.each([
  { name: 'a model card', path: () => modelCard, schema: modelCardViewSchema, title: '# churn, version 1' },
  {
    name: 'a data card',
    path: () => dataCard,
    schema: dataCardSchema,
    title: '# Data of churn, up to 2001-02-01',
  },
])('$name', ({ path, schema, title }) => {
  it.each([undefined, '*/*', 'application/json', 'image/png', 'text/html;q=0, */*;q=0.1'])(
    'is JSON to a caller that accepts %s',
    async (accept) => {
      const response = await ask(path(), accept);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(response.headers.get('vary')).toBe('accept');
      schema.parse(await response.json());
    },
  );

  it.each(['text/markdown', 'text/html;q=0.5, text/markdown', 'text/markdown;q=0.9, */*;q=0.8'])(
    'is Markdown to a caller that accepts %s',
    async (accept) => {
      const response = await ask(path(), accept);
      expect(response.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
      expect(await response.text()).toContain(title);
    },
  );

  it.each(['text/html', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'])(
    'is a page to a caller that accepts %s, and may do nothing but look as it does',
    async (accept) => {
      const response = await ask(path(), accept);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await response.text()).toContain(`<h1>${title.slice(2)}</h1>`);
    },
  );
});

describe("the toolkit's form of a model card", () => {
  it('leads to the full card where the caller reached the platform', async () => {
    const response = await ask(`${modelCard}/toolkit`);
    const card = toolkitCardSchema.parse(await response.json());
    expect(card.model_details.references).toEqual([{ reference: `http://localhost${modelCard}` }]);
    expect(card.model_details.version.name).toBe('1');
  });
});

describe('a card that is not there', () => {
  it.each([
    '/v1/models/churn/versions/9/card',
    '/v1/models/absent/versions/1/card/toolkit',
    `/v1/datasets/sha256:${'0'.repeat(64)}/card`,
  ])('such as %s is not found, in any form', async (path) => {
    for (const accept of ['application/json', 'text/html'])
      expect((await ask(path, accept)).status).toBe(404);
  });
});
