import type { Issue, PipelineSpec } from '@perennial/contract';
import { PipelineInvalidError } from '@perennial/pipeline';
import type { LoadedPipeline } from '@perennial/pipeline/load';
import { cronProblem } from './due-times.ts';
import { WallClock } from './wall-clock.ts';

/**
 * Makes sure that a pipeline's schedule comes due and its quiet hours are some.
 * @throws PipelineInvalidError naming the file and the field
 */
export function requireTimetable({ spec, file }: LoadedPipeline): void {
  const issues = [...scheduleIssues(spec), ...quietHoursIssues(spec)];
  if (issues.length > 0) throw new PipelineInvalidError(issues, { pipeline: spec.name, file });
}

function scheduleIssues({ schedule }: PipelineSpec): Issue[] {
  if (schedule === undefined) return [];
  const message = cronProblem(schedule.cron);
  return message === undefined ? [] : [{ path: 'schedule.cron', message }];
}

function quietHoursIssues({ limits }: PipelineSpec): Issue[] {
  if (limits.quietHours === undefined) return [];
  const { from, to, timezone } = limits.quietHours;
  const issues: Issue[] = [];
  if (from === to) {
    const message = `must be another time than 'from', ${from}`;
    issues.push({ path: 'limits.quietHours.to', message });
  }
  if (!isTimezone(timezone)) {
    const message = 'must be an IANA time zone such as America/Chicago or UTC';
    issues.push({ path: 'limits.quietHours.timezone', message });
  }
  return issues;
}

function isTimezone(name: string): boolean {
  try {
    new WallClock(name);
    return true;
  } catch {
    return false;
  }
}
