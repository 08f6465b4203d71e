import type { Config } from '../config/config.ts';
import type { Assignment } from './messages.ts';

/** The configuration of one serving process of a fleet: all of them listen on one port, and each has a journal and a model cache of its own. */
export function processConfig(
  config: Config,
  { number, databaseUrl }: Pick<Assignment, 'number' | 'databaseUrl'>,
): Config {
  return {
    ...config,
    roles: ['server'],
    database: { kind: 'url', url: databaseUrl },
    journal: { ...config.journal, folder: journalFolder(config, number) },
    servingFolder: number === 1 ? config.servingFolder : `${config.servingFolder}-${number}`,
  };
}

/** The first process has the folder that a single one has, so that a change of their number leaves it its journal. */
export function journalFolder({ journal: { folder } }: Pick<Config, 'journal'>, number: number): string {
  return number === 1 ? folder : `${folder}-${number}`;
}

/** The numbers of the journals beside a configuration's own, among the names in its folder, that no process of so many writes. */
export function leftJournals(names: readonly string[], processes: number): number[] {
  return names
    .flatMap((name) => /^journal-([2-9]|[1-9]\d{1,2})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((number) => number > processes)
    .toSorted((a, b) => a - b);
}
