import { DAY_MILLISECONDS, durationMilliseconds, formatId, type PipelineSpec } from '@perennial/contract';
import type { Holdings } from '@perennial/storage';

/** From when on predictions are needed, and what for. */
export interface NeededSince {
  since: number;
  reason: string;
}

/**
 * From when on predictions must stay: pipelines whose source is the prediction log read their window back from today, their unfinished runs from the instant they look from, and
 * their running backfills from the next day they come to. Which model's log it is does not matter, since a day's partition holds all models.
 */
export function neededDays(holdings: Holdings, now: Date): NeededSince[] {
  const readers = holdings.pipelines.filter(readsPredictions);
  const windows = new Map(readers.map((spec) => [spec.name, windowOf(spec)]));
  return [
    ...readers.map((spec) => ({
      since: now.getTime() - windowOf(spec),
      reason: `${spec.name} is trained on predictions of its last ${Math.round(windowOf(spec) / DAY_MILLISECONDS)} days`,
    })),
    ...holdings.unfinished
      .filter(({ spec }) => readsPredictions(spec))
      .map(({ id, spec, asOf }) => ({
        since: asOf.getTime() - windowOf(spec),
        reason: `${formatId('run', id)} is under way`,
      })),
    ...holdings.backfills.flatMap(({ id, pipeline, firstDay }) => {
      const window = windows.get(pipeline);
      if (window === undefined) return [];
      return [
        {
          since: Date.parse(firstDay) - window,
          reason: `${formatId('backfill', id)} of ${pipeline} is under way`,
        },
      ];
    }),
  ];
}

function readsPredictions({ data }: PipelineSpec): boolean {
  return data.source.kind === 'predictionLog';
}

/** With a day to spare: a window may end anywhere in a day, and an id may run ahead of its row's time by a little. */
function windowOf({ data: { window } }: PipelineSpec): number {
  const parts = [window.train, window.validation, window.test];
  return parts.reduce((sum, part) => sum + durationMilliseconds(part), DAY_MILLISECONDS as number);
}
