import { digestsOf } from '@perennial/registry/attestation';
import {
  MODELS_CHANGED_CHANNEL,
  getVersionContents,
  listChampions,
  type ChampionRow,
  type Database,
} from '@perennial/storage';
import type { AttestedVersionsOptions } from './attested-versions.ts';
import type { ChampionTableOptions } from './champion-table.ts';
import type { Champion } from './champion.ts';

/** The champions as the database has them: what a {@link ChampionTable} is opened on. */
export function databaseChampions(
  database: Database,
): Pick<ChampionTableOptions, 'loadChampions' | 'subscribe'> {
  return {
    loadChampions: (models) => (models === null ? loadAll(database) : loadPage(database, { models })),
    subscribe: async (handler) => {
      const announced = (model: string) => handler(model === '' ? null : model);
      // Moves announced while the connection was lost are never repeated, so every return of the connection counts as one of any model.
      const listener = await database.listen(MODELS_CHANGED_CHANNEL, announced, () => handler(null));
      return () => listener.stop();
    },
  };
}

/** Of versions what the database has of them: what `AttestedVersions` are opened on. */
export function databaseEvidence(database: Database): AttestedVersionsOptions['load'] {
  return async (model, version) => {
    const { envelope, ...contents } = await getVersionContents(database.orm, model, version);
    return { digests: digestsOf(contents), envelope };
  };
}

/** Rows that are read at once: 10,000 would keep the event loop busy for 50 ms. */
const PAGE_ROWS = 500;

async function loadAll(database: Database): Promise<Champion[]> {
  const champions: Champion[] = [];
  for (let after = ''; ;) {
    const page = await loadPage(database, { after, limit: PAGE_ROWS });
    champions.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) return champions;
    after = last.model;
  }
}

async function loadPage(database: Database, which: Parameters<typeof listChampions>[1]): Promise<Champion[]> {
  return (await listChampions(database.orm, which)).map(toChampion);
}

function toChampion({ champion, ...rest }: ChampionRow): Champion {
  return { ...rest, champion: champion && { ...champion, asOf: champion.asOf.toISOString() } };
}
