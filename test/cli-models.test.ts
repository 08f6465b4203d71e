import { afterAll, beforeAll, expect, it } from 'vitest';
import { perennial, type Outcome } from '@perennial/cli/testing';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from '@perennial/onnx/testing';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform({ files: {} });
  const other = goodFile((_model, graph) =>
    graph.node.forEach((node) => (node.name = `second_${node.name}`)),
  );
  for (const file of [goodFile(), other]) {
    const body = { file: Buffer.from(file).toString('base64'), sample: GOOD_SAMPLE, output: GOOD_OUTPUT };
    await test.client.importVersion({ params: { model: 'churn' }, body });
  }
});
afterAll(() => test.stop());

const models = (...words: string[]): Promise<Outcome> =>
  perennial('models', ...words, '--url', test.platform.url);

it('models are tagged, described and found by their words and tags', async () => {
  expect(await models('tag', 'churn', 'team=growth', 'old=x')).toMatchObject({
    status: 0,
    errors: '',
    out: 'old=x\nteam=growth\n',
  });
  expect((await models('tag', 'churn', '--remove', 'old')).out).toBe('team=growth\n');
  expect((await models('tag', 'churn@2', 'a=b=c', '--json')).out).toBe('{\n  "a": "b=c"\n}\n');
  expect((await models('describe', 'churn', 'Who leaves')).out).toBe('churn: Who leaves\n');
  expect((await models('describe', 'churn@2', '')).out).toBe('churn@2: (no description)\n');
  expect((await models('search', 'leaves', 'CHURN')).out).toContain('team=growth');
  const names = async (...words: string[]) =>
    (JSON.parse((await models('search', ...words, '--json')).out) as { name: string }[]).map(
      ({ name }) => name,
    );
  expect(await names('--tag', 'team=growth')).toEqual(['churn']);
  expect(await names('--tag', 'team=risk')).toEqual([]);
  expect(await names('absent')).toEqual([]);
  expect((await models()).out).toContain('churn');
  expect((await models('churn')).out).toContain('imported');
});

it('versions are compared', async () => {
  await models('describe', 'churn@2', 'The second');
  const { status, out } = await models('compare', 'churn', '1', '2');
  expect(status).toBe(0);
  expect(out).toContain('different test rows');
  expect(out).toContain('said.description');
  expect(JSON.parse((await models('compare', 'churn', '1', '2', '--json')).out)).toMatchObject({
    a: 1,
    b: 2,
  });
});

it('aliases are pointed, shown and removed', async () => {
  const because = ['--reason', 'to try it'];
  expect((await models('alias', 'churn', 'challenger', '1', ...because)).out).toBe(
    'churn@challenger is version 1\n',
  );
  expect((await models('alias', 'churn')).out).toContain('challenger');
  const stale = await models('alias', 'churn', 'challenger', '2', ...because, '--expected-revision', '0');
  expect(stale).toMatchObject({ status: 1 });
  expect(stale.errors).toContain('has moved since revision 0');
  const then = test.clock.now().toISOString();
  test.clock.advance(1_000);
  expect((await models('alias', 'churn', 'challenger', '--remove')).out).toContain('removed');
  expect((await models('alias', 'churn', 'challenger', '--at', then)).out).toContain('to try it');
  expect(JSON.parse((await models('alias', 'churn', 'challenger', '--history', '--json')).out)).toHaveLength(
    2,
  );
  const refused = await models('alias', 'churn', 'champion', '1', ...because);
  expect(refused.errors).toContain('perennial release request churn@1');
});

it.each([
  [['tag', 'churn', 'growth'], `'growth' is not a tag (team=growth).`],
  [['tag', 'No Model', 'a=b'], `'No Model' is not a model`],
  [['compare', 'churn', '1', 'latest'], `'latest' is not the number of a version (3).`],
  [['alias', 'churn', 'challenger', '1'], 'Moving an alias takes a reason'],
  [
    ['alias', 'churn', 'challenger', '1', '--reason', 'x', '--expected-revision', '-1'],
    `'-1' is not a revision`,
  ],
])('%j is no command line', async (words, message) => {
  const { status, errors } = await models(...words);
  expect(status).toBe(2);
  expect(errors).toContain(message);
});
