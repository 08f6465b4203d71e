import type { AttestationInvalidError } from '@perennial/registry/attestation';
import { sameVersion, type ChampionVersion } from './champion.ts';

/** A champion that is not served, since it is not what was approved and signed. */
export interface Refusal {
  model: string;
  version: number;
  error: AttestationInvalidError;
}

interface Refused {
  champion: ChampionVersion;
  error: AttestationInvalidError;
  /** Whether the next request may try once more. */
  again: boolean;
}

/**
 * Champions that were refused for want of a signature that fits them. They are not tried again before the table of champions is loaded the next time: or every
 * request for the model would ask the database anew.
 */
export class Refusals {
  readonly #refused = new Map<string, Refused>();
  #count = 0;

  /** How often a champion was refused. */
  get count(): number {
    return this.#count;
  }

  add(model: string, champion: ChampionVersion, error: AttestationInvalidError): void {
    this.#count++;
    this.#refused.set(model, { champion, error, again: false });
  }

  clear(model: string): void {
    this.#refused.delete(model);
  }

  /** @throws AttestationInvalidError when the champion was refused, and is not to be tried again yet */
  check(model: string, champion: ChampionVersion): void {
    const refused = this.#refused.get(model);
    if (refused && !refused.again && sameVersion(refused.champion, champion)) throw refused.error;
  }

  /** The table was loaded, for those models or, for null, for all: each of them may be tried once more. */
  allowAgain(models: readonly string[] | null): void {
    for (const model of models ?? this.#refused.keys()) {
      const refused = this.#refused.get(model);
      if (refused) refused.again = true;
    }
  }

  list(): Refusal[] {
    return Array.from(this.#refused, ([model, { champion, error }]) => ({
      model,
      version: champion.version,
      error,
    }));
  }
}
