export * from './errors.ts';
export * from './pipeline-catalog.ts';
export * from './run-executor.ts';
export * from './run-progress.ts';
export * from './run-service.ts';
