import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { SingleBar } from 'cli-progress';
import { createClient, type Client } from '@perennial/client';
import { ManualClock } from '@perennial/contract';
import { createLogger, loadConfig, startPlatform, type Platform } from '@perennial/server';
import { FIRST_DAY, LAST_DAY, at, daysFrom, next } from './days.ts';
import { Flights } from './flights.ts';
import { header, line, summary } from './report.ts';
import { replayDay, type DayResult } from './replay-day.ts';

const USAGE = `Replays history: the flight-delay pipeline day by day on the flights of 2001.

  --days N      days to replay (default 30)
  --from DATE   first day, YYYY-MM-DD (default: ${FIRST_DAY}, or where the last replay stopped)
  --home PATH   folder of the replayed platform (default .perennial/demo)
  --port N      port to listen on (default 8080)
  --exit        stop when done instead of staying up
`;

interface Options {
  days: number;
  from: string | undefined;
  home: string;
  port: string;
  exit: boolean;
}

/** @throws Error when an option makes no sense */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      days: { type: 'string', default: '30' },
      from: { type: 'string' },
      home: { type: 'string', default: '.perennial/demo' },
      port: { type: 'string', default: '8080' },
      exit: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const days = Number(values.days);
  if (!Number.isInteger(days) || days < 1) throw new Error('--days must be a whole number of at least 1.');
  const { from } = values;
  const isDay = from === undefined || (/^\d{4}-\d{2}-\d{2}$/.test(from) && !Number.isNaN(at(from).getTime()));
  if (!isDay || (from !== undefined && (from < '2001-01-18' || from > LAST_DAY))) {
    throw new Error(
      `--from must be a day from 2001-01-18, before which the data do not fill a window, to ${LAST_DAY}.`,
    );
  }
  return { days, from, home: values.home, port: values.port, exit: values.exit };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const clock = new ManualClock(at(options.from ?? FIRST_DAY));
  const config = loadConfig({
    PERENNIAL_HOME: options.home,
    PERENNIAL_PORT: options.port,
    PERENNIAL_PIPELINES: resolve(fileURLToPath(import.meta.url), '../../..'),
    PERENNIAL_LOG_LEVEL: 'error',
  });
  const platform = await startPlatform({ config, clock, logger: createLogger(config.logLevel) });
  try {
    await replay(platform, { options, clock });
    if (!options.exit) await stayUp(platform);
  } finally {
    await platform.close();
  }
}

async function replay(
  platform: Platform,
  { options, clock }: { options: Options; clock: ManualClock },
): Promise<void> {
  const client = createClient({ baseUrl: platform.url });
  const flights = await Flights.open();
  const started = performance.now();
  const days = daysFrom(options.from ?? (await dayToGoOn(client)), options.days);
  process.stdout.write(
    `Replaying ${days.length} days from ${days[0] ?? '–'} at ${platform.url}\n\n${header()}\n`,
  );
  const results: DayResult[] = [];
  for (const day of days) {
    const bar = startBar(day);
    const onProgress = (done: number, doing: string) => bar?.update(done, { doing });
    const result = await replayDay({ client, clock, onProgress }, day, await flights.of(day));
    bar?.stop();
    process.stdout.write(`${line(result)}\n`);
    results.push(result);
  }
  flights.close();
  process.stdout.write(`\n${summary(results, (performance.now() - started) / 1000)}\n`);
}

/** The day after the last one replayed whole, or the first. */
async function dayToGoOn(client: Client): Promise<string> {
  const { items } = await client.listRuns({ query: { pipeline: 'flight-delay', limit: 1 } });
  const last = items[0]?.asOf.slice(0, 10);
  if (last === undefined) return FIRST_DAY;
  const { days } = await client
    .getMonitoring({ params: { model: 'flight-delay' }, query: { from: last, to: last } })
    .catch(() => ({ days: [] }));
  const [day] = days;
  return day !== undefined && day.labelled === day.predictions ? next(last) : last;
}

function startBar(day: string): SingleBar | undefined {
  if (process.stdout.isTTY !== true) return undefined;
  const bar = new SingleBar({
    format: `${day} [{bar}] {percentage}% {doing}`,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(1, 0, { doing: '' });
  return bar;
}

async function stayUp(platform: Platform): Promise<void> {
  process.stdout.write(
    `\nThe platform stays up at ${platform.url} (API: ${platform.url}/docs). Ctrl-C ends it.\n`,
  );
  await new Promise<void>((stop) => {
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
