export { makeCandidate, seed, type CandidateOptions } from './candidate.ts';
export { sampleEvents, sampleImportedCard, unreleased } from './sample-card-view.ts';
export { ReleaseBench, person } from './release-bench.ts';
export { samplePartsOfCard, sampleModelCard } from './sample-card.ts';
export { sampleDataset } from './sample-dataset.ts';
export { sampleGateReport } from './sample-gate-report.ts';
export { sealVersion, signVersion, testSigning, type TestSigning } from './signed-version.ts';
