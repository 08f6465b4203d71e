import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  CHECKS,
  MEASURES,
  METRICS,
  behaviourSchema,
  featureSpecSchema,
  goldenSetSchema,
  notWorseSchema,
  pipelineSpecSchema,
  slicesSpecSchema,
  sourceSpecSchema,
  trainSpecSchema,
  validateSpecSchema,
} from '@perennial/contract';
import { expect, it } from 'vitest';

const page = await readFile(fileURLToPath(new URL('../../../docs/pipelines.md', import.meta.url)), 'utf8');

interface Shape {
  properties?: Record<string, unknown>;
  oneOf?: Shape[];
}

/** The fields that an author may write, beside the kind that a function fills in. */
function fieldsOf({ properties = {}, oneOf = [] }: Shape): string[] {
  return [...Object.keys(properties), ...oneOf.flatMap(fieldsOf)].filter((field) => field !== 'kind');
}

it.each([
  ['a pipeline', pipelineSpecSchema],
  ['a source', sourceSpecSchema],
  ['a feature', featureSpecSchema],
  ['training', trainSpecSchema],
  ['validation', validateSpecSchema],
  ['a comparison', notWorseSchema],
  ['slices', slicesSpecSchema],
  ['a golden set', goldenSetSchema],
  ['a behaviour', behaviourSchema],
])('docs/pipelines.md has every option of %s', (_, schema) => {
  const shape = schema.toJSONSchema({ io: 'input' }) as Shape;
  const missing = [...new Set(fieldsOf(shape))].filter((field) => !new RegExp(`\\b${field}\\b`).test(page));
  expect(missing).toEqual([]);
});

it('docs/pipelines.md has every rule, measure and policy of a gate', () => {
  const names = ['notWorse', 'atLeast', 'atMost', 'invariant', 'increasing', 'decreasing', 'inconclusive'];
  const measures = [...Object.values(METRICS).flat(), ...MEASURES];
  expect([...names, ...measures].filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
});

it('docs/pipelines.md says of every check what its failure does', () => {
  const rows = new Map(
    [...page.matchAll(/^\| `([a-z-]+)` \| (.+?) \| `(fail|report)` \|/gm)].map(
      ([, name, title, severity]) => [name, { title, severity }],
    ),
  );
  expect(Object.fromEntries(rows)).toEqual(CHECKS);
});
