import { expectTypeOf } from 'vitest';
import type { Page } from './paging.ts';
import type { RouteInput, RouteName, RouteRequest, RouteResponse } from './routes.ts';
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
