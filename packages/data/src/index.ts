export { buildDataset, type BuildOptions, type BuildProgress, type BuiltDataset } from './build-dataset.ts';
export * from './errors.ts';
export { FileDigests } from './file-digests.ts';
export { windowBounds, type WindowBounds } from './window.ts';
export { readSplit, type ReadSplitOptions, type SplitBatch } from './read-split.ts';
