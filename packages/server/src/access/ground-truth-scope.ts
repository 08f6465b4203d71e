import { parseId, type GroundTruthItem } from '@perennial/contract';
import { modelsOfPredictions } from '@perennial/storage';
import type { Principal } from '../http/authentication.ts';
import { requireModel } from './model-scope.ts';
import type { ResourceOwnersParts } from './resource-owners.ts';

/**
 * Holds a caller to its models in facts that are about many: one that is none of theirs, or about a prediction that is not there, refuses them all.
 * @throws ForeignModelError
 */
export async function requireOwnFacts(
  principal: Principal,
  items: readonly GroundTruthItem[],
  { database, flushPredictions }: ResourceOwnersParts,
): Promise<void> {
  if (principal.models === null) return;
  const named = items.flatMap((item) =>
    'prediction' in item ? [parseId('prediction', item.prediction)] : [],
  );
  for (const item of items) if ('model' in item) requireModel(principal, item.model);
  if (named.length === 0) return;
  await flushPredictions();
  const models = await modelsOfPredictions(database.orm, named);
  for (const id of named) requireModel(principal, models.get(id));
}
