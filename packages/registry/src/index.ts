export * from './errors.ts';
export * from './promotion.ts';
export * from './registration.ts';
export * from './release-decisions.ts';
export * from './release-policy.ts';
export { buildModelCard, type ModelCardParts } from './card/build-model-card.ts';
export { renderModelCardMarkdown } from './card/render-model-card.ts';
