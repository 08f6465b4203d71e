import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { roleSchema } from './roles.ts';
import { ROUTES, type Route, type RouteName } from './routes.ts';

const routes = Object.entries(ROUTES) as [RouteName, Route][];

/** What whoever may read may also say: a word of their own, and goodbye. */
const OWN_WORDS: RouteName[] = ['commentOnRelease', 'closeSession'];

it('every route has a method and path of its own', () => {
  const addresses = routes.map(([, { method, path }]) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
  expect(addresses).toEqual([...new Set(addresses)]);
});

describe.each(routes)('%s', (name, route) => {
  it('has a path below /v1 and names exactly the parameters it takes', () => {
    expect(route.path).toMatch(/^\/v1(\/([a-z-]+|\{[a-zA-Z]+\}))+(:[a-z]+)?$/);
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    expect(Object.keys(route.params?.shape ?? {})).toEqual(named);
  });

  it('asks for a role', () => {
    expect([...roleSchema.options, 'public']).toContain(route.role);
  });

  it('changes nothing for who may only read, and GET takes no body', () => {
    if (route.method === 'GET') expect(route.body).toBeUndefined();
    else if (!OWN_WORDS.includes(name)) expect(route.role).not.toBe('viewer');
  });

  it('can be described: what goes in and what comes out have JSON schemas', () => {
    for (const input of [route.params, route.query, route.body]) {
      if (input) expect(z.toJSONSchema(input, { io: 'input' })).toMatchObject({ type: 'object' });
    }
    const response = z.toJSONSchema(route.response, { io: 'output' });
    expect(response).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('refuses query parameters and fields that it does not know', () => {
    for (const part of [route.params, route.query, route.body]) {
      const unknown = part?.safeParse({ surprise: '1' }).error?.issues;
      if (part) expect(unknown).toContainEqual(expect.objectContaining({ keys: ['surprise'] }));
    }
  });

  it('that lists things pages them', () => {
    const isList = 'items' in ((route.response as z.ZodObject).shape as object);
    const isPaged = route.query !== undefined && 'cursor' in route.query.shape;
    expect(isPaged).toBe(isList);
  });
});

describe('what is asked of a version', () => {
  it.each(['0', '-1', '1.5', 'latest', '2147483648', ''])('may not name the version %j', (version) => {
    expect(ROUTES.getVersion.params.safeParse({ model: 'm', version }).success).toBe(false);
  });

  it('reads its number from the path', () => {
    expect(ROUTES.getVersion.params.parse({ model: 'm', version: '7' })).toEqual({ model: 'm', version: 7 });
  });
});
