import type {
  Baseline,
  DatasetVersion,
  Evaluation,
  GateReport,
  Importance,
  RunLineage,
  TrainedCard,
  PipelineSpec,
  Signature,
  TrainingResult,
} from '@perennial/contract';

/** What a model card is put together from: what the steps of a run left behind. */
export interface ModelCardParts {
  spec: PipelineSpec;
  version: number;
  createdAt: Date;
  dataset: Pick<DatasetVersion, 'digest' | 'asOf' | 'manifest' | 'card'>;
  training: TrainingResult;
  validation: {
    evaluation: Evaluation;
    championEvaluation: Evaluation | null;
    baselines: readonly Baseline[];
    importance: readonly Importance[];
    report: GateReport;
  };
  signature: Signature;
  lineage: RunLineage;
  /** The versions before this one, newest first. */
  history: TrainedCard['history'];
}

/**
 * The card of a version. What the author left unsaid stays empty: the card does not make up a purpose or a limit. Its data covers the
 * time from the first training row to the end of the test split.
 */
export function buildModelCard(parts: ModelCardParts): TrainedCard {
  const { spec, dataset, training, validation } = parts;
  const { train, validation: held, test } = dataset.manifest.splits;
  return {
    kind: 'trained',
    format: 2,
    model: spec.name,
    version: parts.version,
    createdAt: parts.createdAt.toISOString(),
    overview: {
      description: spec.description ?? '',
      owners: spec.owners,
      intendedUse: spec.intendedUse ?? '',
      limitations: spec.limitations,
    },
    signature: parts.signature,
    features: spec.features,
    label: spec.label,
    data: {
      dataset: dataset.digest,
      asOf: dataset.asOf,
      rows: { train: train.rows, validation: held.rows, test: test.rows },
      quarantined: dataset.card.quarantine.rows,
      from: train.from,
      to: test.to,
      columns: dataset.card.columns,
    },
    training: { ...training, spec: spec.train },
    evaluation: validation.evaluation,
    championEvaluation: validation.championEvaluation,
    baselines: [...validation.baselines],
    importance: validation.importance.toSorted((a, b) => b.value - a.value),
    gate: validation.report,
    lineage: parts.lineage,
    history: parts.history,
  };
}
