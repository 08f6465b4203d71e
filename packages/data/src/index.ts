export { buildDataset, type BuildOptions, type BuildProgress, type BuiltDataset } from './build-dataset.ts';
export * from './errors.ts';
export { FileDigests } from './file-digests.ts';
export { windowBounds, type WindowBounds } from './window.ts';
export { isSourceObject } from './object-files.ts';
export { sourceFingerprint, type FingerprintOptions } from './source-fingerprint.ts';
export { namedConnections, type SourceReaders } from './source-readers.ts';
export { readSplit, type ReadSplitOptions, type SplitBatch } from './read-split.ts';
export { seenRows, type SeenRowsOptions } from './seen-rows.ts';
