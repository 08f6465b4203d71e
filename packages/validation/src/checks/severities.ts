import {
  CHECKS,
  type CheckName,
  type CheckResult,
  type Severity,
  type ValidateSpec,
} from '@perennial/contract';
import type { CheckFinding } from './finding.ts';

/** What a check's failure does in a pipeline: what the author says, or what the check does by itself. */
export function severityOf(name: CheckName, { checks }: Pick<ValidateSpec, 'checks'>): Severity {
  return checks[name] ?? CHECKS[name].severity;
}

/** The findings of the checks that count, with what their failure does. */
export function withSeverities(
  findings: readonly CheckFinding[],
  spec: Pick<ValidateSpec, 'checks'>,
): CheckResult[] {
  return findings.flatMap((finding) => {
    const severity = severityOf(finding.name, spec);
    return severity === 'off' ? [] : [{ ...finding, severity }];
  });
}

/** Whether a check's failure stops the candidate. */
export function stops({ outcome, severity }: CheckResult): boolean {
  return outcome === 'fail' && severity === 'fail';
}

/**
 * Whether a check leaves the verdict open: a limit that could not be measured, and a golden set whose rows cannot tell, are asked for by the author,
 * who is not to take silence for a yes. Other checks that had nothing to look at say nothing.
 */
export function leavesOpen({ name, outcome, severity }: CheckResult): boolean {
  return (name === 'limit' || name === 'golden-set') && outcome === 'skipped' && severity === 'fail';
}
