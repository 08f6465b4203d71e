import type { Clock, EndpointChange, Residency } from '@perennial/contract';
import type { ServedModels } from '@perennial/serving';
import {
  getEndpoint,
  listEndpoints,
  recordChange,
  saveEndpoint,
  transaction,
  type Database,
} from '@perennial/storage';
import { PipelineEndpointError } from '../errors.ts';
import type { HandlerContext, Handlers } from './route-registration.ts';

export interface EndpointHandlerDependencies {
  database: Database;
  clock: Clock;
  models: ServedModels;
}

/** How models are served, and which this process holds. */
export function endpointHandlers(dependencies: EndpointHandlerDependencies) {
  const { database, models } = dependencies;
  return {
    listEndpoints: ({ query }) => listEndpoints(database.orm, query),
    getEndpoint: ({ params }) => getEndpoint(database.orm, params.model),
    changeEndpoint: ({ params, body }, context) =>
      changeEndpoint(dependencies, { name: params.model, ...body }, context),
    listResidents: async ({ query }) => describeResidency(models, query.limit),
  } satisfies Partial<Handlers>;
}

/** @throws NotFoundError when there is no such model, PipelineEndpointError when its pipeline's file says how it is served */
function changeEndpoint(
  { database, clock }: EndpointHandlerDependencies,
  { name, serving, reason }: EndpointChange & { name: string },
  { principal, origin }: HandlerContext,
) {
  const at = clock.now();
  const by = principal.name;
  return transaction(database, async (tx) => {
    const before = await getEndpoint(tx, name);
    if (before.source === 'pipeline') throw new PipelineEndpointError(name);
    await saveEndpoint(tx, { name, serving, source: 'operator', at, by });
    const details = { before: before.serving, after: serving };
    recordChange(tx, {
      at,
      by,
      action: 'endpoint.changed',
      subject: `endpoint:${name}`,
      reason,
      details,
      origin,
    });
    return getEndpoint(tx, name);
  });
}

function describeResidency(models: ServedModels, limit: number): Residency {
  const { memoryBytes, counters } = models;
  const { residents, residentBytes, loads, evictions, coldRequests, coldRefused, coldWaiting } = counters;
  return {
    memoryBytes,
    residents,
    residentBytes,
    loads,
    evictions,
    coldRequests,
    coldRefused,
    coldWaiting,
    models: models
      .residents()
      .slice(0, limit)
      .map(({ loadedAt, lastUsedAt, ...resident }) => ({
        ...resident,
        loadedAt: loadedAt?.toISOString() ?? null,
        lastUsedAt: lastUsedAt?.toISOString() ?? null,
      })),
    refused: models
      .refused()
      .map(({ model, version, error }) => ({ model, version, problem: error.message })),
  };
}
