import { ColumnPredictor, PinnedVersions, databaseEvidence, recordPolicyOf } from '@perennial/serving';
import { listSignedVersions } from '@perennial/storage';
import { ModelDirectory } from '../oip/model-directory.ts';
import type { PlatformParts } from './parts.ts';
import type { Serving } from './serving.ts';

/** What answers the Open Inference Protocol, on the models and the journal that answer every other prediction. */
export function openInference(
  { database, clock, ids, closers }: PlatformParts,
  { models, champions, journal }: Serving,
): { predictor: ColumnPredictor; directory: ModelDirectory } {
  const pinned = new PinnedVersions({ models, evidence: databaseEvidence(database) });
  closers.add('pinned versions', () => pinned.close());
  const source = {
    hold: (model: string) => models.hold(model),
    holdVersion: (model: string, version: number) => pinned.holdVersion(model, version),
  };
  const policyOf = (model: string) => recordPolicyOf(champions.servingOf(model));
  return {
    predictor: new ColumnPredictor({ models: source, journal, policyOf, ids, clock }),
    directory: new ModelDirectory({
      champions,
      models,
      pinned,
      approved: (model) => listSignedVersions(database.orm, model),
    }),
  };
}
