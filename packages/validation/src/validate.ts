import type { Evaluation, GateReport } from '@perennial/contract';
import { seenRows } from '@perennial/data';
import { EarlyServers } from './checks/served/early-servers.ts';
import { isServedForExamination } from './checks/served/is-served.ts';
import { evaluationOf } from './evaluation.ts';
import { examine, type Examination } from './examination.ts';
import { answerComparisons, primaryOf, type GateAnswer, type GateChampion } from './gate/comparisons.ts';
import { conclude } from './gate/conclusion.ts';
import { permutationImportance } from './importance/permutation-importance.ts';
import { OpenModels } from './scoring/open-model.ts';
import { openContenders, scoreTestRows, type TestRows } from './scoring/test-rows.ts';
import { findSlices } from './slices/find-slices.ts';
import type { ValidationInput, ValidationResult } from './validation-input.ts';

/**
 * Shares of a validation that scoring and comparing count for; the rest is the checks. A guess that holds for a few ten thousand rows and
 * a thousand resamples: it moves a progress bar and nothing else.
 */
const SCORING_SHARE = 0.3;
const COMPARING_SHARE = 0.4;

/** Fewest rows a slice's metrics are reported with: a metric of fewer says more about chance than about the slice. */
const FEWEST_REPORTED_ROWS = 30;

/**
 * Examines a candidate: scores it and the champion on the test split, each through its exported file in the runtime that serves it, compares
 * them, runs the named checks, and concludes. It answers the same for the same input and ledger, but for what a clock measures in the served
 * artifact. The event loop turns between batches and between resamples.
 *
 * @throws ArtifactInvalidError, InferenceFailedError, ArtifactUnfitError when the candidate does not load, does not run, or answers what
 * is no probability or number. The same faults of the champion make the verdict `inconclusive`: `no-baseline` would let any candidate
 * past the gate, and an error would stop every run until someone came.
 * @throws MetricKindError, SplitMismatchError, LabelMismatchError
 */
export async function validate(input: ValidationInput): Promise<ValidationResult> {
  const models = new OpenModels();
  const servers = beginServing(input);
  try {
    return await examineCandidate({ ...input, startServer: servers && servers.start }, models);
  } finally {
    await servers?.close();
    await models.release();
  }
}

/** Has candidate and champion served from now on; null where they are not served for their examination. */
function beginServing({ startServer, spec, candidate, champion }: ValidationInput): EarlyServers | null {
  if (startServer === null || !isServedForExamination(spec)) return null;
  const servers = new EarlyServers(startServer);
  servers.begin({ file: candidate.file, model: spec.name });
  if (champion !== null) servers.begin({ file: champion.file, model: spec.name });
  return servers;
}

async function examineCandidate(input: ValidationInput, models: OpenModels): Promise<ValidationResult> {
  const { onProgress, spec, manifest, signal } = input;
  const contenders = await openContenders(input, models);
  const rows = await scoreTestRows(scaled(input, 0, SCORING_SHARE), contenders, await seenMask(input));
  const answer = await compare(scaled(input, SCORING_SHARE, COMPARING_SHARE), rows);
  const evaluations = await evaluate(input, rows, answer);
  onProgress?.(SCORING_SHARE + COMPARING_SHARE);
  const examination = await examine({
    input,
    contenders,
    rows,
    evaluation: evaluations.evaluation,
    spent: answer.testSet?.error === 0,
  });
  const importance = await permutationImportance({
    model: contenders.candidate,
    sample: rows.sample,
    manifest,
    metric: primaryOf(spec.validate.gate).metric,
    ...(signal && { signal }),
  });
  onProgress?.(1);
  const { report, worse } = reportOf(input, { rows, answer, examination });
  return { ...evaluations, baselines: examination.baselines, importance, report, worse };
}

/** 1 for each test row, in the file's order, that the candidate or the champion was trained on. */
async function seenMask({ spec, testFile, trainFile, seenFiles }: ValidationInput): Promise<Uint8Array> {
  return await seenRows({ pipeline: spec.name, testFile, trainedOn: [trainFile, ...seenFiles] });
}

async function compare(input: ValidationInput, rows: TestRows): Promise<GateAnswer> {
  const { spec, manifest, datasetDigest, candidate, onProgress, signal } = input;
  const split = manifest.splits.test.digest;
  return await answerComparisons({
    gate: spec.validate.gate,
    dataset: datasetDigest,
    split,
    candidate: { artifact: candidate.artifact, scored: rows.candidate },
    seenRows: rows.seenRows,
    champion: gateChampion(input, rows),
    clusters: rows.clusters,
    debit: async (champion) => {
      const { comparison } = await input.wear({ split, candidate: candidate.artifact, champion });
      return { budget: spec.validate.testSet.comparisons, comparison };
    },
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
}

function gateChampion({ champion }: ValidationInput, rows: TestRows): GateChampion | null {
  if (champion === null || rows.champion === null) return null;
  const { model, version, artifact } = champion;
  return { model, version, artifact, answers: rows.champion };
}

async function evaluate(
  input: ValidationInput,
  rows: TestRows,
  { intervals }: GateAnswer,
): Promise<Pick<ValidationResult, 'evaluation' | 'championEvaluation'>> {
  const { slices } = await findSlices(rows.slices, { pairs: false, minRows: FEWEST_REPORTED_ROWS });
  const parts = { dataset: input.datasetDigest, slices };
  const evaluation = await evaluationOf({
    ...parts,
    artifact: input.candidate.artifact,
    scored: rows.candidate,
    intervals: intervals.candidate,
  });
  if (input.champion === null || rows.champion === null || 'problem' in rows.champion)
    return { evaluation, championEvaluation: null };
  const championEvaluation: Evaluation = await evaluationOf({
    ...parts,
    artifact: input.champion.artifact,
    scored: rows.champion.scored,
    intervals: intervals.champion,
  });
  return { evaluation, championEvaluation };
}

function reportOf(
  input: ValidationInput,
  found: { rows: TestRows; answer: GateAnswer; examination: Examination },
): Pick<ValidationResult, 'report' | 'worse'> {
  const { rows, answer, examination } = found;
  const { comparisons, testSet } = answer;
  const { checks, slices, shifts, served } = examination;
  const counted = { rows: rows.candidate.labels.length, seenRows: rows.seenRows };
  const { verdict, explanation, worse } = conclude({
    comparisons,
    checks,
    testSet,
    ...counted,
    lostSeenFiles: input.lostSeenFiles,
  });
  const report: GateReport = {
    gate: input.spec.validate.gate,
    verdict,
    explanation,
    dataset: input.datasetDigest,
    ...counted,
    candidate: { artifact: input.candidate.artifact },
    champion: input.champion && {
      model: input.champion.model,
      version: input.champion.version,
      artifact: input.champion.artifact,
    },
    comparisons,
    checks,
    slices,
    shifts,
    served,
    testSet,
  };
  return { report, worse };
}

/** The input with progress that counts for a part of the whole. */
function scaled(input: ValidationInput, from: number, share: number): ValidationInput {
  const { onProgress } = input;
  if (onProgress === undefined) return input;
  return { ...input, onProgress: (done) => onProgress(from + done * share) };
}
