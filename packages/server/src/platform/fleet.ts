import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ThreadedShipper } from '@perennial/serving';
import type { Config } from '../config/config.ts';
import { journalFolder, leftJournals } from '../processes/process-config.ts';
import { ServingFleet } from '../processes/serving-fleet.ts';
import { openJournal } from './open-journal.ts';
import type { PlatformParts } from './parts.ts';

/** Starts the processes that serve in this one's stead, on its port. @throws ServingProcessError */
export async function startFleet(
  config: Config,
  { databaseUrl, closers, logger }: PlatformParts,
): Promise<{ url: string; pipelines: string[] }> {
  const { overrides, processes } = config;
  const { fleet, ...up } = await ServingFleet.start({ overrides, processes, databaseUrl, logger });
  closers.add('serving processes', () => fleet.close());
  return up;
}

/**
 * Brings to the database what serving processes had put on record that are no more, since fewer of them were started this time. The processes that there are see to their own
 * journals.
 */
export async function shipLeftJournals(config: Config, parts: PlatformParts): Promise<void> {
  const { journal, processes } = config;
  const names = await readdir(dirname(journal.folder)).catch(() => []);
  for (const number of leftJournals(names, processes)) {
    const folder = journalFolder(config, number);
    await shipJournal(folder, parts).catch((error: unknown) =>
      parts.logger.error({ err: error, folder }, 'the journal of an earlier process cannot be shipped'),
    );
  }
}

async function shipJournal(folder: string, { databaseUrl, closers, logger }: PlatformParts): Promise<void> {
  const journal = await openJournal({ folder });
  closers.add(`journal in ${folder}`, () => journal.close());
  const shipper = new ThreadedShipper({
    journal,
    database: { url: databaseUrl },
    onProblem: (error) => logger.warn({ err: error, folder }, 'predictions wait to be shipped'),
  });
  shipper.start();
  closers.add(`shipper of ${folder}`, () => shipper.stop());
}
