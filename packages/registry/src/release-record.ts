import { CHAMPION, NotFoundError, type Release, type ReleasePolicy } from '@perennial/contract';
import {
  digestOfJson,
  findAlias,
  findRolledBack,
  getPipeline,
  getVersionEvidence,
  type Executor,
  type VersionEvidence,
} from '@perennial/storage';
import { approvalTerms, type ApprovalTerms, type VersionInQuestion } from './release-policy.ts';

/** What is on record of a version, as decisions about its releases need it. @throws NotFoundError */
export async function readVersion(
  tx: Executor,
  { model, version }: Pick<Release, 'model' | 'version'>,
): Promise<VersionInQuestion> {
  return versionInQuestion(tx, { model, version, ...(await getVersionEvidence(tx, model, version)) });
}

async function versionInQuestion(
  tx: Executor,
  { model, version, artifact, gate }: Pick<Release, 'model' | 'version'> & VersionEvidence,
): Promise<VersionInQuestion> {
  return {
    version,
    artifact,
    gateReport: gate && digestOfJson(gate),
    verdict: gate?.verdict ?? null,
    inconclusive: gate?.gate.inconclusive ?? 'hold',
    rolledBack: (await findRolledBack(tx, model, artifact)) !== undefined,
  };
}

/** A version with what its model's policy asks of its release at this moment. */
export interface VersionToRelease {
  version: VersionInQuestion;
  terms: ApprovalTerms;
  /** The version in production, if there is one. */
  champion: number | null;
}

export interface ReleaseWanted {
  model: string;
  version: number;
  override: boolean;
  /** @default that of the pipeline of the model's name, as it is now */
  policy?: ReleasePolicy;
}

/** @throws NotFoundError */
export async function readVersionToRelease(tx: Executor, wanted: ReleaseWanted): Promise<VersionToRelease> {
  const { model, override } = wanted;
  const found = await getVersionEvidence(tx, model, wanted.version);
  const champion = (await findAlias(tx, model, CHAMPION))?.version ?? null;
  const terms = approvalTerms({
    policy: wanted.policy ?? (await policyOf(tx, model)),
    imported: found.gate === null,
    champion,
    comparedWith: found.gate?.champion?.version ?? null,
    override,
  });
  return { version: await versionInQuestion(tx, { ...wanted, ...found }), terms, champion };
}

/** The release policy of the pipeline of a model's name; null where there is none, as of a model whose versions were made elsewhere. */
async function policyOf(tx: Executor, model: string): Promise<ReleasePolicy | null> {
  try {
    return (await getPipeline(tx, model)).spec.release;
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}
