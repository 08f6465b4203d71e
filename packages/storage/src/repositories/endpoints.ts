import { and, asc, eq, gt, sql } from 'drizzle-orm';
import {
  DEFAULT_SERVING,
  NotFoundError,
  formatId,
  type Endpoint,
  type EndpointSource,
  type Page,
  type PageQuery,
  type ServingSpec,
} from '@perennial/contract';
import { endpoints, models, precomputations } from '../database/schema.ts';
import { MODELS_CHANGED_CHANNEL } from './aliases.ts';
import { NAME_KEY, decodeCursor, pageOf } from './cursor.ts';
import type { Executor } from './executor.ts';

export interface EndpointChange {
  /** The endpoint's name, and the model's. */
  name: string;
  serving: ServingSpec;
  source: Exclude<EndpointSource, 'default'>;
  at: Date;
  by: string;
}

/** Writes down how a model is served, and announces it if that is something new. The model may come later. */
export async function saveEndpoint(
  tx: Executor,
  { name, serving, source, at, by }: EndpointChange,
): Promise<void> {
  const changed = await tx
    .insert(endpoints)
    .values({ name, model: name, serving, source, updatedAt: at, updatedBy: by })
    .onConflictDoUpdate({
      target: endpoints.name,
      set: { serving, source, updatedAt: at, updatedBy: by },
      setWhere: sql`(${endpoints.serving}, ${endpoints.source}) is distinct from (excluded.serving, excluded.source)`,
    })
    .returning({ name: endpoints.name });
  if (changed.length > 0) await tx.execute(sql`select pg_notify(${MODELS_CHANGED_CHANNEL}, ${name})`);
}

/** @throws NotFoundError when there is no such model */
export async function getEndpoint(db: Executor, name: string): Promise<Endpoint> {
  const [row] = await endpointQuery(db).where(eq(models.name, name));
  if (!row) throw new NotFoundError('endpoint', name);
  return toEndpoint(row);
}

/** Endpoints by name: one for every model. */
export async function listEndpoints(
  db: Executor,
  query: PageQuery & { models?: readonly string[] | null },
): Promise<Page<Endpoint>> {
  const after = decodeCursor(query.cursor, NAME_KEY);
  const rows = await endpointQuery(db)
    .where(
      and(
        after === undefined ? undefined : gt(models.name, after),
        query.models ? sql`${models.name} = any(${sql.param([...query.models])})` : undefined,
      ),
    )
    .orderBy(asc(models.name))
    .limit(query.limit + 1);
  return pageOf(rows, query, { item: toEndpoint, key: ({ name }) => name });
}

function endpointQuery(db: Executor) {
  return db
    .select({ name: models.name, endpoint: endpoints, precomputation: precomputations.id })
    .from(models)
    .leftJoin(endpoints, eq(endpoints.name, models.name))
    .leftJoin(
      precomputations,
      and(eq(precomputations.model, models.name), eq(precomputations.state, 'live')),
    );
}

function toEndpoint({
  name,
  endpoint,
  precomputation,
}: Awaited<ReturnType<typeof endpointQuery>>[number]): Endpoint {
  return {
    name,
    model: name,
    serving: endpoint?.serving ?? DEFAULT_SERVING,
    source: endpoint?.source ?? 'default',
    precomputation: precomputation === null ? null : formatId('precomputation', precomputation),
    updatedAt: endpoint?.updatedAt.toISOString() ?? null,
    updatedBy: endpoint?.updatedBy ?? null,
  };
}
