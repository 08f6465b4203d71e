/**
 * The tables. Events first, status second: `run_events`, `release_events` and `alias_moves` are append-only facts; `runs`, `steps`,
 * `releases` and `aliases` are projections of them, written in the same transaction.
 */
export * from './schema/runs.ts';
export * from './schema/datasets.ts';
export * from './schema/lineage.ts';
export * from './schema/models.ts';
export * from './schema/releases.ts';
export * from './schema/predictions.ts';
export * from './schema/access.ts';
export * from './schema/triggers.ts';
export * from './schema/workers.ts';
export * from './schema/webhooks.ts';
export * from './schema/retention.ts';
export * from './schema/serving.ts';
