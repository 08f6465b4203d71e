import type { Evaluation, GateReport, IdGenerator, ReleasePolicy, Verdict } from '@perennial/contract';
import { createRun, saveDatasetVersion, savePipeline, type Database } from '@perennial/storage';
import { SPEC } from '@perennial/storage/testing';
import { buildModelCard } from '../card/build-model-card.ts';
import type { Candidate } from '../registration.ts';
import { samplePartsOfCard } from './sample-card.ts';
import { sampleGateReport } from './sample-gate-report.ts';

/** A digest that is told apart by its number. */
export function digest(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

const AS_OF = new Date('2001-02-01T00:00:00Z');
const DATASET = digest(0xda7a);

/** Writes down the pipeline and the dataset version that candidates refer to. */
export async function seed(database: Database): Promise<void> {
  await savePipeline(database.orm, { spec: SPEC, codeDigest: digest(1), loadedAt: AS_OF });
  const split = { digest: digest(2), rows: 1, bytes: 1, from: AS_OF.toISOString(), to: AS_OF.toISOString() };
  const splits = { train: split, validation: split, test: split };
  await saveDatasetVersion(database.orm, {
    digest: DATASET,
    asOf: AS_OF,
    createdAt: AS_OF,
    manifest: {
      format: 1,
      pipeline: SPEC.name,
      splits,
      encoder: {
        columns: [{ name: 'age', type: 'number' }],
        features: [
          {
            kind: 'numeric',
            name: 'age',
            column: 'age',
            impute: 0,
            missingIndicator: false,
            clip: {},
            log: false,
            center: 0,
            scale: 1,
          },
        ],
      },
      label: { kind: 'binary', name: 'churned', threshold: 0.5 },
      slices: [],
    },
    card: {
      pipeline: SPEC.name,
      dataset: DATASET,
      asOf: AS_OF.toISOString(),
      window: SPEC.data.window,
      source: SPEC.data.source,
      files: [],
      splits,
      columns: [],
      labels: {
        train: { mean: null, standardDeviation: null, classes: null },
        validation: { mean: null, standardDeviation: null, classes: null },
        test: { mean: null, standardDeviation: null, classes: null },
      },
      expectations: [],
      quarantine: { rows: 0, reasons: [] },
    },
  });
}

export interface CandidateOptions {
  database: Database;
  ids: IdGenerator;
  verdict: Verdict;
  /** The champion that the gate compared with. */
  against: number | null;
  /** @default automatic */
  release?: ReleasePolicy;
  /** Digest of its bytes. @default one of its own */
  artifact?: string;
  inconclusive?: 'hold' | 'release';
}

function freshDigest(): string {
  return digest(Math.floor(Math.random() * 2 ** 48));
}

/** A candidate of a run that is on record. */
export async function makeCandidate(options: CandidateOptions): Promise<Candidate> {
  const { database, ids, verdict, against, inconclusive = 'hold' } = options;
  const { release = { approval: 'automatic' }, artifact: bytes = freshDigest() } = options;
  const runId = ids.next();
  const trigger = { kind: 'request' as const, by: 'test' };
  const run = {
    id: runId,
    spec: SPEC,
    codeDigest: digest(1),
    trigger,
    asOf: AS_OF,
    force: false,
    createdAt: AS_OF,
  };
  await createRun(database.orm, run);
  const artifact = { digest: bytes, bytes: 10 };
  const report = gateReport({ verdict, against, artifact: artifact.digest });
  const gate = { ...report, gate: { ...report.gate, inconclusive } };
  return {
    model: SPEC.name,
    runId,
    artifact,
    dataset: DATASET,
    asOf: AS_OF,
    signature: { inputs: [{ name: 'age', type: 'number' }], output: { kind: 'binary', threshold: 0.5 } },
    lineage: {
      kind: 'run',
      run: `run_${runId}`,
      pipeline: SPEC.name,
      codeDigest: digest(1),
      dataset: DATASET,
      warmStartedFrom: null,
      backend: 'cpu',
      device: 'cpu',
      seed: 1,
      platformVersion: '0.1.0',
    },
    evaluation: evaluationOf(artifact.digest),
    gate,
    release,
    card: (registered) => buildModelCard({ ...samplePartsOfCard(), spec: SPEC, ...registered }),
  };
}

function evaluationOf(artifact: string): Evaluation {
  return {
    artifact,
    dataset: DATASET,
    split: 'test',
    rows: 100,
    metrics: { auc: 0.7 },
    intervals: {},
    slices: [],
    meanPrediction: 0.2,
    meanLabel: 0.2,
    calibration: null,
    curves: null,
    confusion: null,
  };
}

function gateReport(given: { verdict: Verdict; against: number | null; artifact: string }): GateReport {
  const { verdict, against, artifact } = given;
  return {
    ...sampleGateReport(),
    gate: SPEC.validate.gate,
    verdict,
    explanation: `The verdict is ${verdict}.`,
    dataset: DATASET,
    candidate: { artifact },
    champion: against === null ? null : { model: SPEC.name, version: against, artifact: digest(3) },
  };
}
