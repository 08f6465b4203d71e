import type { ModelVersionDetail, TrainedCard } from '@perennial/contract';

/** The card of a version that a run made. */
export function trainedCard({ card }: Pick<ModelVersionDetail, 'card'>): TrainedCard {
  if (card.kind !== 'trained') throw new Error(`${card.model}@${card.version} is ${card.kind}, not trained.`);
  return card;
}
