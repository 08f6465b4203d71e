export { PipelineInvalidError } from '../errors.ts';
export { loadPipelineFile, type LoadedPipeline } from './load-pipeline-file.ts';
export { findPipelineFiles, loadPipelines } from './load-pipelines.ts';
