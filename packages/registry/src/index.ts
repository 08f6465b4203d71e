export * from './aliases.ts';
export * from './champion-move.ts';
export * from './comparison.ts';
export * from './errors.ts';
export { registerImportedVersion, type ImportedVersion } from './import/register-imported-version.ts';
export { PublicKey, SigningKey, TrustedKeys, type ApprovedRelease } from './attestation/index.ts';
export * from './attestation/signer.ts';
export * from './registration.ts';
export * from './release-context.ts';
export * from './release-decisions.ts';
export * from './release-policy.ts';
export * from './rollback.ts';
export * from './tags.ts';
export { buildModelCard, type ModelCardParts } from './card/build-model-card.ts';
export { modelCardView } from './card/model-card-view.ts';
export { renderModelCardHtml, renderModelCardMarkdown } from './card/render-model-card.ts';
export { PAGE_POLICY } from './document/render-html.ts';
export { toolkitCard } from './card/toolkit-card.ts';
export { renderDataCardHtml, renderDataCardMarkdown } from './data-card/render-data-card.ts';
export { ExplainingArtifactStore } from './retention/explaining-store.ts';
export {
  PersonalDataDesk,
  type CountKeyRows,
  type PersonalDataDependencies,
} from './retention/personal-data-desk.ts';
export { RetentionDesk, type Asker, type RetentionDependencies } from './retention/retention-desk.ts';
