import type { CardEvents, ImportedCard, ModelCard, ModelCardView, Release } from '@perennial/contract';
import { sampleDigest } from './sample-pipeline.ts';

/** A card to which nothing has happened since. */
export function unreleased(card: ModelCard): ModelCardView {
  return { card, since: { description: '', tags: {}, releases: [], overrides: [] } };
}

const RELEASE = 'rel_0190f2a0-0000-7000-8000-000000000002';

const REJECTED: Release = {
  id: 'rel_0190f2a0-0000-7000-8000-000000000001',
  model: 'flight-delay',
  version: 7,
  state: 'rejected',
  override: false,
  requestedBy: 'token:ops',
  requestedAt: '2001-02-01T04:00:00.000Z',
  decidedBy: 'user:ada@example.org',
  reason: 'Not before the holidays.',
  updatedAt: '2001-02-01T05:00:00.000Z',
  approvers: 2,
  approvals: [],
};

/** A version that was rejected, then let through by an admin with one approval of two. */
export function sampleEvents(): CardEvents {
  const override: Release = {
    ...REJECTED,
    id: RELEASE,
    state: 'live',
    override: true,
    requestedBy: 'user:grace@example.org',
    requestedAt: '2001-02-02T08:00:00.000Z',
    reason: 'Seen and agreed.',
    updatedAt: '2001-02-02T09:30:00.000Z',
    approvers: 1,
    approvals: [
      {
        by: 'user:ada@example.org',
        at: '2001-02-02T09:30:00.000Z',
        comment: 'Seen and agreed.',
        artifact: sampleDigest('a'),
        gateReport: sampleDigest('e'),
        expiresAt: '2001-02-09T09:30:00.000Z',
      },
    ],
  };
  return {
    description: 'The one with the new airports.',
    tags: { team: 'airline', 'cost-centre': '42' },
    releases: [override, REJECTED],
    overrides: [
      {
        release: RELEASE,
        by: 'user:grace@example.org',
        at: '2001-02-02T08:00:00.000Z',
        reason: 'The champion fails on the new airports.',
      },
    ],
  };
}

/** The card of a file that scikit-learn's exporter wrote, made new at every call. */
export function sampleImportedCard(): ImportedCard {
  return structuredClone<ImportedCard>({
    kind: 'imported',
    format: 2,
    model: 'churn',
    version: 3,
    createdAt: '2001-02-01T03:00:05.000Z',
    overview: { description: 'A forest.', owners: [], intendedUse: '', limitations: [] },
    signature: {
      inputs: [
        { name: 'age', type: 'number' },
        { name: 'income', type: 'number' },
      ],
      output: { kind: 'binary', threshold: 0.5 },
    },
    history: [
      { version: 2, createdAt: '2001-01-31T03:00:05.000Z', verdict: null, metrics: {} },
      { version: 1, createdAt: '2001-01-30T03:00:05.000Z', verdict: 'no-baseline', metrics: { auc: 0.7 } },
    ],
    file: {
      bytes: 12_345,
      digest: sampleDigest('f'),
      producer: 'skl2onnx 1.17.0',
      opsets: [
        { domain: '', version: 17 },
        { domain: 'ai.onnx.ml', version: 3 },
      ],
      operators: [
        { name: 'Cast', count: 2 },
        { name: 'ai.onnx.ml.TreeEnsembleClassifier', count: 1 },
      ],
      parameters: null,
    },
    sampleRows: 20,
    lineage: {
      kind: 'imported',
      by: 'token:science',
      producer: 'skl2onnx 1.17.0',
      note: 'From the notebook of March.',
      platformVersion: '0.1.0',
    },
  });
}
