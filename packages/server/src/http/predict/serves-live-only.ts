import type { ServingSpec } from '@perennial/contract';

/** Whether a model's requests are computed when they are asked, recorded whole, and answered in no other way: what the front knows. */
export function servesLiveOnly({ modes, record, cache }: ServingSpec): boolean {
  return record === undefined && cache === undefined && modes.every((mode) => mode === 'online');
}
