import type { Route, RouteName, ROUTES } from '@perennial/contract';
import type { z } from 'zod';
import { ForeignModelError } from '../errors.ts';
import type { Principal } from '../http/authentication.ts';
import type { ResourceOwners } from './resource-owners.ts';

/** The parts of a request that say which model it is about, as they were checked. */
export interface ScopedRequest {
  params?: Readonly<Record<string, unknown>> | undefined;
  query?: Record<string, unknown> | undefined;
}

export interface ScopedRoute {
  name: string;
  scope: Route['scope'];
  query?: z.ZodObject | undefined;
}

type Text = Record<string, unknown>;

type QueryOf<Name extends RouteName> = (typeof ROUTES)[Name] extends { query: infer Q extends z.ZodObject }
  ? keyof z.output<Q>
  : never;

/** Routes that list what belongs to models and cannot be asked for one model's alone. */
export type UnfilteredList = {
  [Name in RouteName]: (typeof ROUTES)[Name]['scope'] extends 'list'
    ? Extract<QueryOf<Name>, 'model' | 'pipeline'> extends never
      ? Name
      : never
    : never;
}[RouteName];

/** The model, or pipeline of its name, of an item of each of those; a new one that says nothing here does not compile. */
const MODEL_OF_ITEM: Record<UnfilteredList, (item: Text) => unknown> = {
  listEndpoints: (item) => item['model'],
  listModels: (item) => item['name'],
  listPipelines: (item) => item['name'],
};

/**
 * Holds a caller to its models before the work is done: refuses, or narrows the query of a list to the one model it has.
 * @throws ForeignModelError
 */
export async function holdToModels(
  principal: Principal,
  {
    route,
    request,
    owners,
  }: { route: ScopedRoute; request: ScopedRequest; owners?: ResourceOwners | undefined },
): Promise<void> {
  const { models } = principal;
  if (models === null) return;
  switch (route.scope) {
    case 'any':
    case 'body':
      return;
    case 'installation':
      throw new ForeignModelError(models, 'what was asked for is about the whole installation.');
    case 'model':
      return requireModel(principal, request.params?.['model'] ?? request.params?.['pipeline']);
    case 'resource':
      return requireModel(principal, await owners?.ownerOf(request.params ?? {}));
    case 'list':
      return holdList(principal, models, { route, query: request.query });
  }
}

/** @throws ForeignModelError when the caller is held to models and this is none of them */
export function requireModel({ models }: Principal, model: unknown): void {
  if (models === null || models.some((own) => own === model)) return;
  throw new ForeignModelError(models, 'what was asked for is none of theirs, or not there.');
}

/** What of an answer the caller may see: of a list that has every model's items, its own. */
export function withinModels({ models }: Principal, route: ScopedRoute, body: unknown): unknown {
  if (models === null || !isUnfiltered(route.name)) return body;
  const page = body as { items: Text[] };
  const modelOf = MODEL_OF_ITEM[route.name];
  return { ...page, items: page.items.filter((item) => models.some((own) => own === modelOf(item))) };
}

function holdList(
  principal: Principal,
  models: readonly string[],
  { route, query }: { route: ScopedRoute; query: Record<string, unknown> | undefined },
): void {
  const filter = (['model', 'pipeline'] as const).find((name) => route.query && name in route.query.shape);
  if (filter === undefined) {
    if (isUnfiltered(route.name)) return;
    throw new ForeignModelError(models, 'this list has every model’s.');
  }
  const [only, another] = models;
  if (query !== undefined && query[filter] === undefined && another === undefined) query[filter] = only;
  if (query?.[filter] === undefined)
    throw new ForeignModelError(models, `say which one in the parameter '${filter}'.`);
  requireModel(principal, query[filter]);
}

function isUnfiltered(name: string): name is UnfilteredList {
  return Object.hasOwn(MODEL_OF_ITEM, name);
}
