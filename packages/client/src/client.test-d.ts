import { expectTypeOf } from 'vitest';
import type { Page, PredictResponse, Run } from '@perennial/contract';
import type { Client } from './client.ts';
import { everyItem } from './pages.ts';

declare const client: Client;

export async function answers(): Promise<void> {
  expectTypeOf(await client.getRun({ params: { run: 'run_…' } })).toEqualTypeOf<Run>();
  expectTypeOf(await client.listRuns({ query: {} })).toEqualTypeOf<Page<Run>>();
  expectTypeOf(
    await client.predict({ params: { model: 'm' }, body: { instances: [{}] } }),
  ).toEqualTypeOf<PredictResponse>();
  for await (const run of everyItem((cursor) => client.listRuns({ query: { cursor } })))
    expectTypeOf(run).toEqualTypeOf<Run>();
}

export async function mistakes(): Promise<void> {
  // @ts-expect-error the path needs to say which run
  await client.getRun({});
  // @ts-expect-error a limit is a number
  await client.listRuns({ query: { limit: 'many' } });
  // @ts-expect-error a decision needs its reason
  await client.approveRelease({ params: { release: 'rel_…' }, body: {} });
}
