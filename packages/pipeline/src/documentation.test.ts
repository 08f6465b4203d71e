import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  featureSpecSchema,
  pipelineSpecSchema,
  sourceSpecSchema,
  trainSpecSchema,
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
])('docs/pipelines.md has every option of %s', (_, schema) => {
  const shape = schema.toJSONSchema({ io: 'input' }) as Shape;
  const missing = [...new Set(fieldsOf(shape))].filter((field) => !new RegExp(`\\b${field}\\b`).test(page));
  expect(missing).toEqual([]);
});
