import { METRIC_TITLES, type FeatureShift, type GateReport } from '@perennial/contract';
import type { NewAlert } from '@perennial/storage';
import type { ValidationOutput } from './validation-step.ts';

/** What an alert is about, beside its id and time. */
export interface FailedCandidate {
  model: string;
  version: number;
  runId: string;
  validation: Pick<ValidationOutput, 'worse' | 'report'>;
}

/**
 * What somebody is told when a candidate failed its gate. It may mean broken data or a broken pipeline, so it says which feature's rows have moved most since the
 * champion's; null where nothing failed.
 */
export function worseAlert({
  model,
  version,
  runId,
  validation: { worse, report },
}: FailedCandidate): Omit<NewAlert, 'id' | 'at'> | null {
  if (worse === null) return null;
  const title =
    report.champion === null
      ? `${model}@${version} did not pass its gate`
      : `${model}@${version} did not pass its gate; ${report.champion.model}@${report.champion.version} stays in production`;
  return {
    kind: 'candidate-worse',
    severity: 'warning',
    model,
    runId,
    version,
    title,
    message: [worse.reason, movedMost(report)].filter((sentence) => sentence !== '').join(' '),
    details: detailsOf(report),
  };
}

/** Population stability below which nobody would say that a feature has moved. */
const SMALL_SHIFT = 0.1;

function movedMost({ shifts: [first], champion }: GateReport): string {
  if (champion === null) return '';
  const since = `Since the training rows of version ${champion.version}`;
  if (first === undefined || first.index < SMALL_SHIFT) return `${since}, no feature has moved much.`;
  return `${since}, '${first.feature}' has moved most: ${describe(first)}.`;
}

function describe({ description, index }: FeatureShift): string {
  return `${description} (population stability index ${index.toFixed(2)})`;
}

/** For programs: what failed by name and number, and what moved. */
function detailsOf({ verdict, dataset, champion, comparisons, checks, shifts }: GateReport) {
  return {
    verdict,
    dataset,
    champion: champion && { model: champion.model, version: champion.version },
    comparisons: comparisons.map(({ metric, margin, candidate, champion: against, verdict: answer }) => ({
      metric,
      title: METRIC_TITLES[metric],
      margin,
      candidate,
      champion: against,
      verdict: answer,
    })),
    failedChecks: checks
      .filter(({ outcome, severity }) => outcome === 'fail' && severity === 'fail')
      .map(({ name, subject, explanation }) => ({ name, subject, explanation })),
    shifts,
  };
}
