/**
 * Reading a split, without what building one takes: the training process has no use for the storage, whose libraries take 0.3 s to load.
 */
export { readSplit, type ReadSplitOptions, type SplitBatch } from './read-split.ts';
