import { CHECKS, type CheckName, type CheckResult, type Severity, type ValidateSpec } from '@perennial/contract';
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
