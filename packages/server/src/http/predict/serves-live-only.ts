import type { ServingSpec } from '@perennial/contract';

/** Whether a model's requests are computed when they are asked, and answered in no other way: what the front knows. */
export function servesLiveOnly({ modes, cache }: ServingSpec): boolean {
  return cache === undefined && modes.every((mode) => mode === 'online');
}
