import { ColumnPredictor, recordPolicyOf } from '@perennial/serving';
import { listSignedVersions } from '@perennial/storage';
import { ModelDirectory } from '../oip/model-directory.ts';
import type { PlatformParts } from './parts.ts';
import type { Serving } from './serving.ts';

/** What answers the Open Inference Protocol, on the models and the journal that answer every other prediction. */
export function openInference(
  { database, clock, ids }: PlatformParts,
  { models, champions, journal }: Serving,
): { predictor: ColumnPredictor; directory: ModelDirectory } {
  const policyOf = (model: string) => recordPolicyOf(champions.servingOf(model));
  const approved = (model: string) => listSignedVersions(database.orm, model);
  return {
    predictor: new ColumnPredictor({ models, journal, policyOf, ids, clock }),
    directory: new ModelDirectory({ champions, models, approved }),
  };
}
