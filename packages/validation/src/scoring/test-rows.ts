import { readSplit } from '@perennial/data';
import { selectSliceRows, type CodedColumn } from '../slices/slice-columns.ts';
import type { ValidationInput } from '../validation-input.ts';
import type { OpenModels } from './open-model.ts';
import { selectClusters, type RowClusters } from './row-clusters.ts';
import type { RowSample } from './row-sample.ts';
import { scoreSplit, type ScoringModel, type TriedModel, type TriedScores } from './score-split.ts';
import { selectRows, type ScoredRows } from './scored-rows.ts';

/** Rows that are kept for what asks a model again. */
const SAMPLE_ROWS = 5_000;

/** The models of a validation, ready to answer. */
export interface Contenders {
  candidate: ScoringModel;
  champion: TriedModel;
  linear: TriedModel;
}

/** @throws ArtifactInvalidError, InferenceFailedError about the candidate */
export async function openContenders(input: ValidationInput, models: OpenModels): Promise<Contenders> {
  return {
    candidate: await models.open(input.candidate),
    champion: input.champion && (await models.tryOpen(input.champion)),
    linear: input.linear && (await models.tryOpen(input.linear)),
  };
}

/** The test rows that count, with what each model answered. */
export interface TestRows {
  candidate: ScoredRows;
  champion: TriedScores;
  linear: TriedScores;
  slices: CodedColumn[];
  clusters: RowClusters;
  sample: RowSample;
  /** Rows that do not count, since the candidate or the champion was trained on them. */
  seenRows: number;
}

/**
 * Scores the models on the test split. Rows that one of them was trained on are scored like the others and then left out of everything.
 *
 * @param seen 1 for each row, in the file's order, that does not count
 */
export async function scoreTestRows(
  input: ValidationInput,
  contenders: Contenders,
  seen: Uint8Array,
): Promise<TestRows> {
  const { manifest, datasetDigest, testFile, spec, onProgress, signal } = input;
  const fresh = freshRows(seen);
  const scored = await scoreSplit({
    batches: readSplit({ file: testFile, manifest }),
    dataset: datasetDigest,
    manifest,
    ...contenders,
    clusters: spec.validate.gate.comparisons.flatMap(({ cluster }) => cluster ?? []),
    sample: { eligible: fresh, most: SAMPLE_ROWS },
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
  const seenRows = seen.length - fresh.length;
  if (seenRows === 0) return { ...scored, seenRows };
  return {
    ...scored,
    candidate: selectRows(scored.candidate, fresh),
    champion: selectTried(scored.champion, fresh),
    linear: selectTried(scored.linear, fresh),
    slices: selectSliceRows(scored.slices, fresh),
    clusters: Object.fromEntries(
      Object.entries(scored.clusters).map(([kind, clusters]) => [kind, selectClusters(clusters, fresh)]),
    ),
    seenRows,
  };
}

function freshRows(seen: Uint8Array): Uint32Array {
  const fresh = new Uint32Array(seen.length);
  let rows = 0;
  for (let row = 0; row < seen.length; row++) if (seen[row] === 0) fresh[rows++] = row;
  return fresh.subarray(0, rows);
}

function selectTried(tried: TriedScores, rows: Uint32Array): TriedScores {
  return tried && 'scored' in tried ? { scored: selectRows(tried.scored, rows) } : tried;
}
