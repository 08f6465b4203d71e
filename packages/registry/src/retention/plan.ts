import {
  DAY_MILLISECONDS,
  durationMilliseconds,
  formatId,
  type Digest,
  type RetentionKind,
  type RetentionPart,
  type RetentionPolicy,
  type RetentionReport,
} from '@perennial/contract';
import type { HeldDataset, HeldRun, HeldVersion, Holdings, PredictionPartition } from '@perennial/storage';
import { filesOf, nameOf, neededArtifacts, neededDatasets, neededVersions } from './needed.ts';
import { neededDays } from './needed-days.ts';
import { limits, pastRule } from './rules.ts';

/** Old enough to go, and kept. */
export interface Kept {
  name: string;
  reason: string;
}

interface ArtifactFile {
  digest: Digest;
  bytes: number;
}

/** What goes and what is kept for a reason, kind by kind. */
export interface RetentionPlan {
  predictions: { go: PredictionPartition[]; kept: Kept[] };
  datasets: {
    go: HeldDataset[];
    kept: Kept[];
    /** Their files that no other dataset version has. */ files: ArtifactFile[];
  };
  artifacts: {
    go: ArtifactFile[];
    kept: Kept[];
    /** Artifacts of the store that nothing refers to, those that go among them. */
    unreferenced: Digest[];
  };
  runs: { go: HeldRun[]; kept: Kept[] };
}

export interface PlanInput {
  policy: RetentionPolicy;
  now: Date;
  /** What is in the artifact store. */
  stored: readonly Digest[];
}

/** An artifact that nothing refers to stays so long after it was first noticed: whoever put it may be about to write it down. */
const UNREFERENCED_MILLISECONDS = DAY_MILLISECONDS;

/** What goes by a policy. A pure function of what is on record: the same plan is shown, and under the lock made again and carried out. */
export function planRetention(holdings: Holdings, input: PlanInput): RetentionPlan {
  const versions = neededVersions(holdings);
  return {
    predictions: planPredictions(holdings, input),
    datasets: planDatasets(holdings, versions, input),
    artifacts: planArtifacts(holdings, versions, input),
    runs: planRuns(holdings, input),
  };
}

function planPredictions(holdings: Holdings, { policy, now }: PlanInput): RetentionPlan['predictions'] {
  const { maxAge } = policy.predictions;
  if (maxAge === null) return { go: [], kept: [] };
  const before = now.getTime() - durationMilliseconds(maxAge);
  const needs = neededDays(holdings, now);
  const past = holdings.partitions.filter(({ day }) => endOf(day) <= before);
  return divide(past, {
    name: ({ day }) => day,
    reason: ({ day }) => needs.find(({ since }) => endOf(day) > since)?.reason,
  });
}

/** A day that is not over is as young as its last prediction may be. */
function endOf(day: string): number {
  return Date.parse(day) + DAY_MILLISECONDS;
}

function planDatasets(
  { datasets, ...holdings }: Holdings,
  versions: Map<string, string>,
  { policy, now }: PlanInput,
): RetentionPlan['datasets'] {
  const needed = neededDatasets({ datasets, ...holdings }, versions);
  const aging = ({ pipeline, createdAt }: HeldDataset) => ({ group: pipeline, since: createdAt });
  const { go, kept } = divide(pastRule(datasets, policy.datasets, { now, aging }), {
    name: ({ digest }) => digest,
    reason: ({ digest }) => needed.get(digest),
  });
  return { go, kept, files: filesOfOnly(datasets, go) };
}

/** The files of some dataset versions that no other one has: splits are often the same from one to the next. */
export function filesOfOnly(all: readonly HeldDataset[], some: readonly HeldDataset[]): ArtifactFile[] {
  const going = new Set(some);
  const shared = new Set(all.filter((dataset) => !going.has(dataset)).flatMap(digestsOf));
  return once(some.flatMap(({ files }) => files).filter(({ digest }) => !shared.has(digest)));
}

function digestsOf({ files }: HeldDataset): Digest[] {
  return files.map(({ digest }) => digest);
}

function planArtifacts(
  holdings: Holdings,
  versions: Map<string, string>,
  input: PlanInput,
): RetentionPlan['artifacts'] {
  const { policy, now } = input;
  const needed = neededArtifacts(holdings, versions);
  const aging = ({ model, createdAt }: HeldVersion) => ({ group: model, since: createdAt });
  const past = pastRule(holdings.versions, policy.artifacts, { now, aging });
  const { go, kept } = divide(past, {
    name: ({ artifact }) => artifact,
    reason: (version) => versions.get(nameOf(version)) ?? needed.get(version.artifact),
  });
  const going = new Set(go);
  const shared = new Map(
    holdings.versions
      .filter((version) => !going.has(version))
      .flatMap((version) => filesOf(version).map(({ digest }) => [digest, nameOf(version)] as const)),
  );
  const files = divide(once(go.flatMap(filesOf)), {
    name: ({ digest }) => digest,
    reason: ({ digest }) => {
      const owner = shared.get(digest);
      return needed.get(digest) ?? (owner === undefined ? undefined : `${owner} has the same`);
    },
  });
  const orphans = planUnreferenced(holdings, needed, input);
  return {
    go: [...files.go, ...orphans.go],
    kept: [...kept, ...files.kept, ...orphans.kept],
    unreferenced: orphans.unreferenced,
  };
}

/** What is in the store and on no record: left by runs that failed, or by a removal that was interrupted. */
function planUnreferenced(
  holdings: Holdings,
  needed: Map<Digest, string>,
  { policy, now, stored }: PlanInput,
): RetentionPlan['artifacts'] {
  const referenced = new Set([
    ...needed.keys(),
    ...holdings.versions.flatMap(filesOf).map(({ digest }) => digest),
    ...holdings.datasets.flatMap(digestsOf),
    ...holdings.unfinished.flatMap(({ artifacts }) => artifacts),
  ]);
  if (!limits(policy.artifacts)) return { go: [], kept: [], unreferenced: [] };
  const unreferenced = stored.filter((digest) => !referenced.has(digest)).sort();
  const { go, kept } = divide(unreferenced, {
    name: (digest) => digest,
    reason: (digest) => {
      const since = holdings.noticed.get(digest);
      const settled = since !== undefined && now.getTime() - since.getTime() >= UNREFERENCED_MILLISECONDS;
      return settled ? undefined : 'nothing refers to it, but it may be about to be put on record';
    },
  });
  return { go: go.map((digest) => ({ digest, bytes: 0 })), kept, unreferenced };
}

function planRuns({ runs }: Holdings, { policy, now }: PlanInput): RetentionPlan['runs'] {
  const past = pastRule(runs, policy.runs, {
    now,
    aging: ({ pipeline, endedAt }) => ({ group: pipeline, since: endedAt }),
  });
  return divide(past, {
    name: ({ id }) => formatId('run', id),
    reason: ({ registered, backfill }) => {
      if (registered !== null) return `${registered} came from it`;
      return backfill === null ? undefined : `${formatId('backfill', backfill)} is under way`;
    },
  });
}

function divide<Item>(
  items: readonly Item[],
  { name, reason }: { name: (item: Item) => string; reason: (item: Item) => string | undefined },
): { go: Item[]; kept: Kept[] } {
  const go: Item[] = [];
  const kept: Kept[] = [];
  for (const item of items) {
    const because = reason(item);
    if (because === undefined) go.push(item);
    else kept.push({ name: name(item), reason: because });
  }
  return { go, kept };
}

function once(files: readonly ArtifactFile[]): ArtifactFile[] {
  return [...new Map(files.map((file) => [file.digest, file])).values()];
}

/** Names that a report holds of each. */
const MOST_NAMES = 100;

/** The plan as it is shown. */
export function reportOf(
  plan: RetentionPlan,
  { at, dryRun }: { at: Date; dryRun: boolean },
): RetentionReport {
  const { predictions, datasets, artifacts, runs } = plan;
  return {
    at: at.toISOString(),
    dryRun,
    parts: [
      part('predictions', predictions, {
        name: ({ day }) => day,
        rows: ({ rows }) => rows,
        bytes: ({ bytes }) => bytes,
      }),
      {
        ...part('datasets', datasets, { name: ({ digest }) => digest, rows: ({ rows }) => rows }),
        bytes: sum(datasets.files, ({ bytes }) => bytes),
      },
      {
        ...part('artifacts', artifacts, { name: ({ digest }) => digest, bytes: ({ bytes }) => bytes }),
        rows: null,
      },
      part('runs', runs, { name: ({ id }) => formatId('run', id), rows: ({ rows }) => rows }),
    ],
  };
}

interface Measures<Item> {
  name: (item: Item) => string;
  rows?: (item: Item) => number;
  bytes?: (item: Item) => number;
}

function part<Item>(
  kind: RetentionKind,
  { go, kept }: { go: Item[]; kept: Kept[] },
  { name, rows = () => 0, bytes = () => 0 }: Measures<Item>,
): RetentionPart {
  return {
    kind,
    items: go.length,
    rows: sum(go, rows),
    bytes: sum(go, bytes),
    names: go.slice(0, MOST_NAMES).map(name),
    kept: kept.slice(0, MOST_NAMES),
  };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
