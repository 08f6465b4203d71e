import type { LimitsSpec, PipelineSpec, TriggerKind } from '@perennial/contract';
import { findUnfinishedRun, trainingMinutes, type Executor } from '@perennial/storage';
import { WallClock } from './wall-clock.ts';

/** What is asked for by someone who knows what they ask is not held back. */
const ASKED_FOR: Record<TriggerKind, boolean> = {
  request: true,
  backfill: true,
  replay: true,
  schedule: false,
  file: false,
  stream: false,
  staleness: false,
};

export interface LimitedTrigger {
  spec: PipelineSpec;
  kind: TriggerKind;
  at: Date;
}

/** Why the pipeline's limits let a trigger start no run, in a sentence; undefined when they let it. */
export async function reasonToSkip(
  tx: Executor,
  { spec, kind, at }: LimitedTrigger,
): Promise<string | undefined> {
  if (ASKED_FOR[kind]) return undefined;
  return (
    quietReason(spec.limits.quietHours, at) ??
    (await busyReason(tx, spec)) ??
    (await budgetReason(tx, spec, at))
  );
}

function quietReason(quietHours: LimitsSpec['quietHours'], at: Date): string | undefined {
  if (quietHours === undefined) return undefined;
  const { from, to, timezone } = quietHours;
  const time = timeOfDay(timezone, at);
  // From 22:00 to 06:00 goes over midnight.
  const quiet = from < to ? from <= time && time < to : from <= time || time < to;
  return quiet ? `It is ${time} in ${timezone}, within the quiet hours from ${from} to ${to}.` : undefined;
}

async function busyReason(tx: Executor, { name, limits }: PipelineSpec): Promise<string | undefined> {
  if (limits.whenBusy === 'wait') return undefined;
  const busy = await findUnfinishedRun(tx, name);
  return busy === undefined ? undefined : 'Another run has not ended, and the pipeline skips triggers then.';
}

async function budgetReason(
  tx: Executor,
  { name, limits }: PipelineSpec,
  at: Date,
): Promise<string | undefined> {
  const budget = limits.trainingMinutesPerDay;
  if (budget === undefined) return undefined;
  const day = at.toISOString().slice(0, 10);
  const spent = await trainingMinutes(tx, name, { since: new Date(`${day}T00:00:00Z`), now: at });
  if (spent < budget) return undefined;
  return `Training has taken ${spent.toFixed(1)} of the ${budget} minutes that ${day} (UTC) has for it.`;
}

/** Such as `07:05`. */
function timeOfDay(timezone: string, at: Date): string {
  return new Date(new WallClock(timezone).at(at.getTime())).toISOString().slice(11, 16);
}
