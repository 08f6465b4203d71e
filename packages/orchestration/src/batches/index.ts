export { BatchExecutor, type BatchExecutorDependencies } from './batch-executor.ts';
export type { BatchPlaces } from './batch-parts.ts';
export { BatchService, type BatchServiceDependencies } from './batch-service.ts';
