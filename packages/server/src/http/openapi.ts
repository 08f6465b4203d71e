import { ROUTES, problemSchema, type Route, type RouteName } from '@perennial/contract';
import { z } from 'zod';
import { takesIdempotencyKey } from './idempotency.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document, made from the route table. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Perennial',
      version,
      description: 'MLOps lifecycle platform: pipelines, models, predictions.',
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
    security: [{ bearer: [] }],
  };
}

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Makes the request safe to repeat: the same key and content get the same answer.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
};

function operation(name: RouteName, route: Route): Json {
  return {
    operationId: name,
    summary: route.summary,
    description: `Needs the role \`${route.role}\`.`,
    tags: [route.path.split('/')[2]],
    parameters: [
      ...parameters('path', route.params),
      ...parameters('query', route.query),
      ...(takesIdempotencyKey(name) ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: jsonSchema(route.body, 'input') } },
          },
        }
      : {}),
    responses: {
      [route.status]: {
        description: 'Success',
        content: {
          'application/json': { schema: jsonSchema(route.response, 'output') },
          ...Object.fromEntries((route.alsoAs ?? []).map((form) => [form, { schema: { type: 'string' } }])),
        },
      },
      default: {
        description: 'A problem document (RFC 9457)',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function parameters(place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Json;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
