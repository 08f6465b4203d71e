export * from './artifact-store-contract.ts';
export * from './test-database.ts';
