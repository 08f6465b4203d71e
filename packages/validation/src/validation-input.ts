import type {
  Baseline,
  DataCard,
  DatasetManifest,
  Digest,
  Evaluation,
  GateReport,
  GoldenSetSpec,
  Importance,
  PipelineSpec,
} from '@perennial/contract';
import type { StartArtifactServer } from './checks/served/artifact-server.ts';

/** An exported model, its digest checked by the caller. */
export interface ModelFile {
  artifact: Digest;
  bytes: Uint8Array;
  /** The same bytes on this machine, for a process of its own to serve. */
  file: string;
}

/** The version in production. */
export interface ChampionFile extends ModelFile {
  model: string;
  version: number;
  /** Of the dataset version that it was trained on; null where there is none on record. */
  card: DataCard | null;
}

/** A fixed dataset version that every candidate must pass too. */
export interface GoldenSet {
  spec: GoldenSetSpec;
  manifest: DatasetManifest;
  /** Its test split's Parquet file on this machine. */
  testFile: string;
}

/** A candidate and a champion that a set of test rows is asked about. */
export interface TestSetQuestion {
  /** Digest of the test split. */
  split: Digest;
  /** Digests of the artifacts. */
  candidate: Digest;
  champion: Digest;
}

export interface ValidationInput {
  spec: PipelineSpec;
  manifest: DatasetManifest;
  datasetDigest: Digest;
  /** Of the dataset version that the candidate was trained on. */
  card: DataCard;
  /** The test split's Parquet file on this machine. */
  testFile: string;
  /** The training split's Parquet file on this machine. */
  trainFile: string;
  candidate: ModelFile;
  /** Null when nothing is in production. */
  champion: ChampionFile | null;
  /** A linear model on the same encoded features; null where training made none. */
  linear: { artifact: Digest; bytes: Uint8Array } | null;
  goldenSets: GoldenSet[];
  /**
   * Parquet files of splits, beside `trainFile`, that the candidate or the champion was trained on (their own, and those of the versions whose
   * weights they began at). Test rows that stand in one of them do not count.
   */
  seenFiles: string[];
  /** How many more such splits there were that are no longer kept, so that nobody can tell whether they hold test rows. */
  lostSeenFiles: number;
  /**
   * Puts a question on the test set's ledger, for good, before it is answered. Gives the question's number: 1 for the first that these rows
   * are asked, the same for one that was asked before.
   */
  wear: (question: TestSetQuestion) => Promise<{ comparison: number }>;
  /**
   * Null where nothing can be served: the checks of the served artifact are then not run, and limits on what they measure
   * leave the verdict open.
   */
  startServer: StartArtifactServer | null;
  /** Called with the share of the work that is done, 0 to 1, never falling. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

export interface ValidationResult {
  evaluation: Evaluation;
  /** Null without a champion, and where the champion cannot be scored on this dataset; the report says which. */
  championEvaluation: Evaluation | null;
  baselines: Baseline[];
  /** Most important first. */
  importance: Importance[];
  report: GateReport;
  /** Why the verdict is `fail`, in a sentence or two; null for every other verdict. */
  worse: { reason: string } | null;
}
