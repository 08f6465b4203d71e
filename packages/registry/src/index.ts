export * from './errors.ts';
export * from './promotion.ts';
export * from './registration.ts';
export * from './release-decisions.ts';
export * from './release-policy.ts';
