export * from './errors.ts';
export * from './ground-truth.ts';
export * from './live-report.ts';
