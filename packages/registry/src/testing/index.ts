export { makeCandidate, seed, type CandidateOptions } from './candidate.ts';
export { samplePartsOfCard, sampleModelCard } from './sample-card.ts';
export { sampleDataset } from './sample-dataset.ts';
export { sampleGateReport } from './sample-gate-report.ts';
