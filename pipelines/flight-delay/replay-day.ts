import { watchRun, type Client } from '@perennial/client';
import { runSchema, type ManualClock, type MonitoringDay, type Run } from '@perennial/contract';
import { at } from './days.ts';
import type { Flight } from './flights.ts';

const MODEL = 'flight-delay';
/** Instances a request; two requests are under way at a time. */
const BATCH = 500;
const CONCURRENCY = 2;

export interface ReplayContext {
  client: Client;
  clock: ManualClock;
  /** How far the day is, 0 to 1, and what is being done. */
  onProgress: (done: number, doing: string) => void;
}

/** What a day came to. */
export interface DayResult {
  day: string;
  run: Run;
  live: MonitoringDay | undefined;
  liveVersion: number;
}

/**
 * Replays one day over HTTP as it would have gone: at three in the morning the pipeline runs on what was known by midnight; then the day's flights
 * are asked, and at its end the truth is told. A day that was interrupted goes on where it stopped.
 */
export async function replayDay(context: ReplayContext, day: string, flights: Flight[]): Promise<DayResult> {
  const { client, clock } = context;
  clock.set(at(day, 3 * 60));
  const run = await trainDay(context, day);
  const known = await predictedKeys(client, day);
  await predictDay(
    context,
    flights.filter((flight) => !known.has(flight.key)),
  );
  clock.set(at(day, 24 * 60 - 1));
  await tellTruth(context, flights);
  const report = await client.getMonitoring({ params: { model: MODEL }, query: { from: day, to: day } });
  const { championVersion } = await client.getModel({ params: { model: MODEL } });
  return { day, run, live: report.days[0], liveVersion: championVersion ?? 0 };
}

/** The day's run, which an earlier try may have finished. */
async function trainDay({ client, onProgress }: ReplayContext, day: string): Promise<Run> {
  const asOf = at(day).toISOString();
  const recent = await client.listRuns({ query: { pipeline: MODEL, limit: 20 } });
  const earlier = recent.items.find(
    (run) => run.asOf === asOf && run.state !== 'failed' && run.state !== 'cancelled',
  );
  const { id } =
    earlier ?? (await client.startRun({ params: { pipeline: MODEL }, body: { asOf, trigger: 'replay' } }));
  const shares: Record<string, [number, number]> = {
    data: [0, 0.15],
    training: [0.15, 0.5],
    validation: [0.65, 0.05],
  };
  for await (const message of watchRun(client, id)) {
    if (message.type === 'end') return runSchema.parse(message.data);
    if (message.type !== 'progress') continue;
    const { step, done } = message.data as { step: string; done: number };
    const [start, share] = shares[step] ?? [0.7, 0];
    onProgress(start + share * done, step);
  }
  return client.getRun({ params: { run: id } });
}

/** Keys of the day's predictions that are on record already. */
async function predictedKeys(client: Client, day: string): Promise<Set<string>> {
  const keys = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await client.listPredictions({ query: { model: MODEL, limit: 500, cursor } });
    const ofDay = page.items.filter((prediction) => prediction.at >= at(day).toISOString());
    for (const { key } of ofDay) if (key !== null) keys.add(key);
    cursor = ofDay.length === page.items.length ? (page.nextCursor ?? undefined) : undefined;
  } while (cursor !== undefined);
  return keys;
}

/** Asks the flights in order of departure, the clock at the departure of the first of each request. */
async function predictDay({ client, clock, onProgress }: ReplayContext, flights: Flight[]): Promise<void> {
  const batches = inBatches(flights, BATCH);
  let asked = 0;
  await inParallel(batches, async (batch) => {
    clock.set(new Date(Math.max(clock.now().getTime(), Date.parse(batch[0]?.features.date ?? ''))));
    await client.predict({
      params: { model: MODEL },
      body: { instances: batch.map((flight) => flight.features), keys: batch.map((flight) => flight.key) },
    });
    asked += 1;
    onProgress(0.7 + (0.2 * asked) / batches.length, 'predicting');
  });
}

async function tellTruth({ client, onProgress }: ReplayContext, flights: Flight[]): Promise<void> {
  const batches = inBatches(flights, 5_000);
  let told = 0;
  await inParallel(batches, async (batch) => {
    await client.postGroundTruth({
      body: { items: batch.map((flight) => ({ model: MODEL, key: flight.key, label: flight.late })) },
    });
    told += 1;
    onProgress(0.9 + (0.1 * told) / batches.length, 'ground truth');
  });
}

function inBatches<Item>(items: Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** Works through the items in order, a few at a time. */
async function inParallel<Item>(items: Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
