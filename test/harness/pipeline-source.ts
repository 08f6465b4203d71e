export interface PipelineSourceOptions {
  name: string;
  /** Path of the CSV file, relative to the pipeline file. */
  file?: string;
  /** TypeScript of fields that replace the standard ones. */
  label?: string;
  features?: string;
  train?: string;
  data?: string;
  release?: string;
  /** TypeScript of further fields, such as `schedule: '0 3 * * *',`. */
  more?: string;
  /** TypeScript in front of the definition. */
  prelude?: string;
}

/** The text of a pipeline file over the made-up visits, as an author would write it. */
export function pipelineSource(options: PipelineSourceOptions): string {
  const file = options.file ?? '../visits.csv';
  return `
import { binary, categorical, csv, custom, definePipeline, mlp, notNull, notWorse, numeric } from '@perennial/pipeline';
${options.prelude ?? ''}
void [custom, notNull];
export default definePipeline({
  name: '${options.name}',
  data: {
    source: csv('${file}'),
    time: 'at',
    key: 'visitor',
    window: { train: '7d', validation: '1d', test: '1d' },
    ${options.data ?? ''}
  },
  label: ${options.label ?? "binary('bought', { from: 'bought' })"},
  features: ${options.features ?? '{ pages: numeric(), country: categorical({ minCount: 5 }) }'},
  train: ${options.train ?? 'mlp({ hidden: [8], epochs: 3, batchSize: 64, learningRate: 0.01 })'},
  validate: { gate: notWorse({ metric: 'auc', margin: 0.05, replicates: 200 }), slices: ['country'] },
  release: ${options.release ?? "{ approval: 'automatic' }"},
  ${options.more ?? ''}
});
`;
}
