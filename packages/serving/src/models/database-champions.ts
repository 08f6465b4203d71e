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
    loadChampions: async () => (await listChampions(database.orm)).map(toChampion),
    subscribe: async (handler) => {
      // Moves announced while the connection was lost are never repeated, so every return of the connection counts as one.
      const listener = await database.listen(MODELS_CHANGED_CHANNEL, handler, handler);
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

function toChampion({ champion, ...rest }: ChampionRow): Champion {
  return { ...rest, champion: champion && { ...champion, asOf: champion.asOf.toISOString() } };
}
