import { NotFoundError, type Digest } from '@perennial/contract';
import { fittedSplitsWithin, type ArtifactStore, type Database } from '@perennial/storage';

export interface SeenSplitsQuestion {
  /** Artifacts on record: the champion's, and the one that the candidate began at. */
  artifacts: readonly (Digest | null)[];
  /** The stretch of time that the test rows are of. */
  test: { from: string; to: string };
  /** The split that the candidate was trained on, which is known anyway. */
  own: Digest;
}

/** The splits, beside the candidate's own, in which test rows may stand that one of the two models was fitted to. */
export async function seenSplits(
  { orm }: Pick<Database, 'orm'>,
  { artifacts, test, own }: SeenSplitsQuestion,
): Promise<Digest[]> {
  const known = [...new Set(artifacts)].filter((artifact) => artifact !== null);
  const splits = await fittedSplitsWithin(orm, { artifacts: known, from: test.from, to: test.to });
  return splits.filter((split) => split !== own);
}

/** Their files on this machine. One that is not kept any more is counted, and no reason to stop every run until it comes back. */
export async function fetchSeenSplits(
  artifacts: ArtifactStore,
  splits: readonly Digest[],
): Promise<{ seenFiles: string[]; lostSeenFiles: number }> {
  const files = await Promise.all(
    splits.map((split) =>
      artifacts.fetchFile(split).catch((error: unknown) => {
        if (error instanceof NotFoundError) return undefined;
        throw error;
      }),
    ),
  );
  const seenFiles = files.filter((file) => file !== undefined);
  return { seenFiles, lostSeenFiles: files.length - seenFiles.length };
}
