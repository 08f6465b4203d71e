import { MODELS_CHANGED_CHANNEL, listChampions, type ChampionRow, type Database } from '@perennial/storage';
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

function toChampion({ model, champion }: ChampionRow): Champion {
  return { model, champion: champion && { ...champion, asOf: champion.asOf.toISOString() } };
}
