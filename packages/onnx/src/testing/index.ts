/** For the tests of other packages. */
export { foreignModel, value, writeLogistic, zipMap, type ForeignModel } from './foreign-models.ts';
export { GOOD_OUTPUT, GOOD_SAMPLE, goodFile, hostileFiles, type HostileFile } from './hostile-files.ts';
export * from './linear-artifact.ts';
