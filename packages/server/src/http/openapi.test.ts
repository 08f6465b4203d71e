import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROUTES, type Route } from '@perennial/contract';
import { openApiDocument } from './openapi.ts';

interface Operation {
  operationId: string;
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { required: boolean };
  responses: Record<string, { content: Record<string, unknown> }>;
}

let document: { openapi: string; paths: Record<string, Record<string, Operation>> };
beforeAll(() => {
  document = openApiDocument('1.2.3') as typeof document;
});
const operationOf = ({ path, method }: Route) => document.paths[path]?.[method.toLowerCase()];

describe('the OpenAPI document', () => {
  it('is valid by the specification’s own schema (OpenAPI 3.1)', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(document.openapi).toBe('3.1.0');
  });

  it('has every route of the table and nothing else', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = Object.values(ROUTES).map(({ method, path }) => `${method} ${path}`);
    expect(described.sort()).toEqual(routes.sort());
  });

  it.each(Object.entries(ROUTES) as [string, Route][])('describes %s', (name, route) => {
    const operation = operationOf(route);
    expect(operation?.operationId).toBe(name);
    const inPath = operation?.parameters.filter((parameter) => parameter.in === 'path');
    expect(inPath?.map((parameter) => parameter.name)).toEqual(Object.keys(route.params?.shape ?? {}));
    expect(inPath?.every((parameter) => parameter.required)).toBe(true);
    expect(operation?.requestBody !== undefined).toBe(route.body !== undefined);
    expect(Object.keys(operation?.responses ?? {})).toEqual([String(route.status), 'default']);
  });

  it('says which other form an answer has', () => {
    const content = (route: Route) => Object.keys(operationOf(route)?.responses[route.status]?.content ?? {});
    expect(content(ROUTES.getModelCard)).toEqual(['application/json', 'text/markdown', 'text/html']);
    expect(content(ROUTES.listRunEvents)).toEqual(['application/json', 'text/event-stream']);
    expect(content(ROUTES.listRuns)).toEqual(['application/json']);
  });

  it('says which requests can be repeated under a key', () => {
    const takesKey = (route: Route) =>
      operationOf(route)?.parameters.some((parameter) => parameter.name === 'Idempotency-Key');
    expect(takesKey(ROUTES.startRun)).toBe(true);
    expect(takesKey(ROUTES.predict)).toBe(false);
    expect(takesKey(ROUTES.listRuns)).toBe(false);
  });

  it('tells a default from what is required', () => {
    const limit = operationOf(ROUTES.listRuns)?.parameters.find(({ name }) => name === 'limit');
    expect(limit).toMatchObject({ required: false, schema: { type: 'integer', default: 50, maximum: 500 } });
    const model = operationOf(ROUTES.listPredictions)?.parameters.find(({ name }) => name === 'model');
    expect(model?.required).toBe(true);
  });

  it('holds no reference that leads nowhere', () => {
    const references = JSON.stringify(document).match(/"\$ref":"[^"]+"/g) ?? [];
    expect([...new Set(references)]).toEqual(['"$ref":"#/components/schemas/Problem"']);
  });
});
