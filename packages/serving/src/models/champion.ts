import { z } from 'zod';
import { digestSchema, instantSchema, nameSchema, servingSpecSchema } from '@perennial/contract';

/** The version of a model that is in production. `revision` grows with every move of the alias. */
export const championVersionSchema = z.strictObject({
  version: z.int().positive(),
  artifact: digestSchema,
  /** The instant the version's data ends at. */
  asOf: instantSchema,
  revision: z.int(),
});
export type ChampionVersion = z.infer<typeof championVersionSchema>;

/** A version that is loaded, the champion or one asked for by its number. */
export type ServedVersion = Pick<ChampionVersion, 'version' | 'artifact'>;

/** What serving knows of a model: its champion, or null when it has none, and how it is served. */
export const championSchema = z.strictObject({
  model: nameSchema,
  champion: championVersionSchema.nullable(),
  /** Absent: the default way. */
  serving: servingSpecSchema.optional(),
  /** The table of precomputed answers that is given out now, by its plain id, and the version that made it. */
  precomputed: z.strictObject({ id: z.uuid(), version: z.int().positive() }).nullish(),
});
export type Champion = z.infer<typeof championSchema>;

export function sameVersion(a: ServedVersion, b: ServedVersion | undefined): boolean {
  return a.version === b?.version && a.artifact === b.artifact;
}

/** Whether nothing of what serving knows of a model has changed. */
export function sameChampion(a: Champion, b: Champion | undefined): boolean {
  if (b === undefined) return false;
  const { champion, serving, precomputed } = a;
  const sameMove =
    champion === null
      ? b.champion === null
      : b.champion !== null && champion.revision === b.champion.revision && sameVersion(champion, b.champion);
  return sameMove && sameJson(serving, b.serving) && sameJson(precomputed ?? null, b.precomputed ?? null);
}

function sameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
