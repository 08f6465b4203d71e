import type { CheckResult } from '@perennial/contract';

/** What a check found, before the pipeline's severities are put to it. */
export type CheckFinding = Omit<CheckResult, 'severity'>;
