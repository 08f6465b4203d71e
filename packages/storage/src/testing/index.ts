export * from './artifact-store-contract.ts';
export * from './pipeline-spec.ts';
export * from './test-database.ts';
export * from './test-bucket.ts';
