import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type { Page } from './paging.ts';
import type { ROUTES, Route, RouteInput, RouteName, RouteRequest, RouteResponse } from './routes.ts';
import type { Run } from './run.ts';

// A caller may leave out what has a default; a handler always has it.
expectTypeOf<RouteInput<'startRun'>>().toExtend<{
  params: { pipeline: string };
  body: { asOf?: string | undefined; force?: boolean | undefined };
}>();
expectTypeOf<RouteRequest<'startRun'>['body']['force']>().toEqualTypeOf<boolean>();
expectTypeOf<RouteRequest<'listRuns'>['query']['limit']>().toEqualTypeOf<number>();
expectTypeOf<object>().toExtend<RouteInput<'listRuns'>['query']>();

// A caller may write a version as it likes to; a handler has a number.
expectTypeOf<RouteRequest<'getVersion'>['params']>().toEqualTypeOf<{ model: string; version: number }>();

// A route without query or body asks for neither.
expectTypeOf<RouteInput<'getRun'>>().not.toHaveProperty('body');
expectTypeOf<RouteInput<'getRun'>>().not.toHaveProperty('query');
expectTypeOf<RouteInput<'getDoctor'>>().toBeUnknown();

// What comes back is the contract's own type.
expectTypeOf<RouteResponse<'getRun'>>().toEqualTypeOf<Run>();
expectTypeOf<RouteResponse<'listRuns'>>().toEqualTypeOf<Page<Run>>();

// @ts-expect-error a run cannot be asked for without saying which
export const withoutParams: RouteInput<'getRun'> = {};
// @ts-expect-error an unknown state is no filter
export const unknownState: RouteInput<'listRuns'> = { query: { state: 'sleeping' } };
// @ts-expect-error there is no such route
export const unknownRoute: RouteName = 'deleteEverything';

const whole = { method: 'GET', path: '/v1/x', summary: 'X', response: z.string(), status: 200 } as const;
export const guarded: Route = { ...whole, role: 'viewer', scope: 'any' };
// @ts-expect-error a route says which role may call it
export const withoutRole: Route = { ...whole, scope: 'any' };
// @ts-expect-error a route says how callers are held to their models
export const withoutScope: Route = { ...whole, role: 'viewer' };
// @ts-expect-error there is no such role
export const unknownRole: Route = { ...whole, role: 'owner', scope: 'any' };

/** Routes whose scope says that the path names a model or a pipeline, and whose path does not. */
type Unnamed = {
  [Name in RouteName]: (typeof ROUTES)[Name] extends { scope: 'model' }
    ? (typeof ROUTES)[Name] extends { params: infer Params extends z.ZodType }
      ? Extract<keyof z.output<Params>, 'model' | 'pipeline'> extends never
        ? Name
        : never
      : Name
    : never;
}[RouteName];
expectTypeOf<Unnamed>().toBeNever();
