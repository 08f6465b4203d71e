import type { Measure, PipelineSpec } from '@perennial/contract';
import { severityOf } from '../severities.ts';

const SERVED_MEASURES = new Set<Measure>(['p99Milliseconds', 'residentMegabytes']);

/**
 * Whether candidates of a pipeline are served for their examination: a fresh process costs a second or two, and is not started for checks that are switched
 * off, unless a limit asks for what it measures.
 */
export function isServedForExamination({ validate }: Pick<PipelineSpec, 'validate'>): boolean {
  return (
    severityOf('served-answers', validate) !== 'off' ||
    severityOf('served-latency', validate) !== 'off' ||
    validate.gate.limits.some(({ measure }) => SERVED_MEASURES.has(measure))
  );
}
