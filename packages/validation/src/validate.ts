import type { DatasetManifest, Digest, Evaluation, GateReport, PipelineSpec } from '@perennial/contract';
import { readSplit } from '@perennial/data';
import { InferenceModel } from '@perennial/onnx';
import { evaluationOf } from './evaluation.ts';
import { decideNotWorse, type GateAnswer, type GateChampion } from './gate/not-worse.ts';
import { problemOf, scoreSplit, type ScoredSplit, type ScoringModel } from './scoring/score-split.ts';

/**
 * Share of a validation that scoring the rows counts for; the rest is resampling them. A guess that holds for a few ten thousand rows and
 * a thousand resamples: it moves a progress bar and nothing else.
 */
const SCORING_SHARE = 0.5;

export interface ValidationInput {
  spec: PipelineSpec;
  manifest: DatasetManifest;
  datasetDigest: Digest;
  /** The test split's Parquet file on this machine. */
  testFile: string;
  /** The exported file, its digest checked by the caller. */
  candidate: { artifact: Digest; bytes: Uint8Array };
  /** The version in production; null when there is none. */
  champion: { model: string; version: number; artifact: Digest; bytes: Uint8Array } | null;
  /** Called with the share of the work that is done, 0 to 1, never falling. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

export interface ValidationResult {
  evaluation: Evaluation;
  /** Null without a champion, and where the champion cannot be scored on this dataset; the report says which. */
  championEvaluation: Evaluation | null;
  report: GateReport;
}

/**
 * Scores candidate and champion on the test split, each through its exported file in the runtime that serves it, and lets the gate
 * decide. It answers the same for the same input. The event loop turns between batches and between resamples.
 *
 * @throws ArtifactInvalidError, InferenceFailedError, ArtifactUnfitError when the candidate does not load, does not run, or answers what
 * is no probability or number. The same faults of the champion make the verdict `inconclusive`: `no-baseline` would let any candidate
 * past the gate, and an error would stop every run until someone came.
 * @throws MetricKindError, SplitMismatchError, LabelMismatchError
 */
export async function validate(input: ValidationInput): Promise<ValidationResult> {
  const opened: InferenceModel[] = [];
  try {
    const scored = await score(input, opened);
    const decided = await decide(input, scored);
    return await conclude(input, scored, decided);
  } finally {
    for (const model of opened) await model.release();
  }
}

async function score(input: ValidationInput, opened: InferenceModel[]): Promise<ScoredSplit> {
  const { manifest, datasetDigest, testFile, onProgress, signal } = input;
  const open = async (model: { artifact: Digest; bytes: Uint8Array }): Promise<ScoringModel> => {
    const inference = await InferenceModel.load(model.bytes);
    opened.push(inference);
    return { artifact: model.artifact, signature: inference.signature, run: (batch) => inference.run(batch) };
  };
  const candidate = await open(input.candidate);
  return await scoreSplit({
    batches: readSplit({ file: testFile, manifest }),
    dataset: datasetDigest,
    manifest,
    candidate,
    champion:
      input.champion &&
      (await open(input.champion).catch((error: unknown) => ({ problem: problemOf(error) }))),
    ...(onProgress && { onProgress: (done) => onProgress(done * SCORING_SHARE) }),
    ...(signal && { signal }),
  });
}

async function decide(input: ValidationInput, scored: ScoredSplit): Promise<GateAnswer> {
  const { spec, datasetDigest, onProgress, signal } = input;
  return await decideNotWorse({
    gate: spec.validate.gate,
    dataset: datasetDigest,
    candidate: { artifact: input.candidate.artifact, scored: scored.candidate },
    champion: gateChampion(input, scored),
    ...(onProgress && {
      onProgress: (done: number) => onProgress(SCORING_SHARE + done * (1 - SCORING_SHARE)),
    }),
    ...(signal && { signal }),
  });
}

function gateChampion({ champion }: ValidationInput, scored: ScoredSplit): GateChampion | null {
  if (champion === null || scored.champion === null) return null;
  const { model, version, artifact } = champion;
  return { model, version, artifact, answers: scored.champion };
}

async function conclude(
  input: ValidationInput,
  scored: ScoredSplit,
  { report, intervals }: GateAnswer,
): Promise<ValidationResult> {
  const parts = { dataset: input.datasetDigest, slices: scored.slices };
  const { metric } = input.spec.validate.gate;
  const evaluation = await evaluationOf({
    ...parts,
    artifact: input.candidate.artifact,
    scored: scored.candidate,
    primary: { metric, interval: intervals.candidate },
  });
  if (input.champion === null || scored.champion === null || 'problem' in scored.champion) {
    return { evaluation, championEvaluation: null, report };
  }
  const championEvaluation = await evaluationOf({
    ...parts,
    artifact: input.champion.artifact,
    scored: scored.champion.scored,
    primary: { metric, interval: intervals.champion },
  });
  return { evaluation, championEvaluation, report };
}
