import { formatId, type Digest } from '@perennial/contract';
import type { HeldVersion, Holdings } from '@perennial/storage';

/** Name of a version, as people write it. */
export function nameOf({ model, version }: { model: string; version: number }): string {
  return `${model}@${version}`;
}

/** Why each version that is needed is: the first reason of its name. */
export function neededVersions({ needs }: Pick<Holdings, 'needs'>): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const need of needs) keepFirst(reasons, nameOf(need), need.reason);
  return reasons;
}

/** What a version's own file is made of. */
export function filesOf({ artifact, artifactBytes, linear, original }: HeldVersion) {
  const files = [{ digest: artifact, bytes: artifactBytes }];
  if (linear !== null) files.push({ digest: linear.artifact, bytes: linear.bytes });
  if (original !== null) files.push({ digest: original, bytes: artifactBytes });
  return files;
}

/**
 * Why each artifact that must stay whatever its version's rule says does: it is a needed version's, one that such a version began at and would begin at if it were made again,
 * or what an unfinished run has left.
 */
export function neededArtifacts(holdings: Holdings, versions: Map<string, string>): Map<Digest, string> {
  const reasons = new Map<Digest, string>();
  for (const version of holdings.versions) {
    const reason = versions.get(nameOf(version));
    if (reason === undefined) continue;
    for (const { digest } of filesOf(version)) keepFirst(reasons, digest, reason);
  }
  for (const version of holdings.versions) {
    if (version.warmStartedFrom === null || !versions.has(nameOf(version))) continue;
    keepFirst(reasons, version.warmStartedFrom, `${nameOf(version)} began at its weights`);
  }
  for (const { id, artifacts } of holdings.unfinished)
    for (const digest of artifacts) keepFirst(reasons, digest, `${formatId('run', id)} is under way`);
  for (const { id, underWay, artifacts } of holdings.batches) {
    const batch = formatId('batch', id);
    for (const digest of artifacts)
      keepFirst(reasons, digest, underWay ? `${batch} is under way` : `output of ${batch}`);
  }
  return reasons;
}

/** Why each dataset version that must stay does: a needed version was trained on it, an unfinished run or batch works with it, or it is a golden set. */
export function neededDatasets(holdings: Holdings, versions: Map<string, string>): Map<Digest, string> {
  const reasons = new Map<Digest, string>();
  for (const version of holdings.versions) {
    const reason = versions.get(nameOf(version));
    if (reason !== undefined && version.dataset !== null)
      keepFirst(reasons, version.dataset, `${nameOf(version)} was trained on it: ${reason}`);
  }
  for (const { id, dataset } of holdings.unfinished)
    if (dataset !== null) keepFirst(reasons, dataset, `${formatId('run', id)} is under way`);
  for (const { id, dataset } of holdings.batches)
    if (dataset !== null) keepFirst(reasons, dataset, `${formatId('batch', id)} is under way`);
  for (const { name, validate } of [...holdings.pipelines, ...holdings.unfinished.map(({ spec }) => spec)])
    for (const set of validate.goldenSets)
      keepFirst(reasons, set.dataset, `golden set '${set.name}' of ${name}`);
  return reasons;
}

function keepFirst(reasons: Map<string, string>, key: string, reason: string): void {
  if (!reasons.has(key)) reasons.set(key, reason);
}
