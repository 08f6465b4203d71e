import {
  RELEASE_PREDICATE,
  STATEMENT_TYPE,
  canonicalJson,
  releaseStatementSchema,
  type Digest,
  type ReleaseStatement,
} from '@perennial/contract';
import type { VersionContents } from '@perennial/storage';
import { digestOfJson } from '@perennial/storage/digest';

/** Name of the artifact among a statement's subjects. */
export const ARTIFACT_SUBJECT = 'model.onnx';

/** The digests of everything that a version is. */
export interface VersionDigests {
  model: string;
  version: number;
  artifact: Digest;
  /** Of the canonical JSON; so are card and gate report. */
  signature: Digest;
  card: Digest;
  gateReport: Digest | null;
  dataset: Digest | null;
}

export function digestsOf(contents: Omit<VersionContents, 'envelope'>): VersionDigests {
  const { model, version, artifact, dataset, gateReport } = contents;
  return {
    model,
    version,
    artifact,
    signature: digestOfJson(contents.signature),
    card: digestOfJson(contents.card),
    gateReport: gateReport && digestOfJson(gateReport),
    dataset,
  };
}

export interface ApprovedRelease {
  model: string;
  version: number;
  /** Edge id. */
  release: string;
  /** The people, or the policy, that approved it; in the order in which they did. */
  approvedBy: string[];
  at: Date;
}

export function releaseStatement(digests: VersionDigests, approved: ApprovedRelease): ReleaseStatement {
  const { model, version, signature, card, gateReport, dataset } = digests;
  return {
    _type: STATEMENT_TYPE,
    subject: subjectsOf(digests),
    predicateType: RELEASE_PREDICATE,
    predicate: {
      model,
      version,
      release: approved.release,
      approvedBy: approved.approvedBy,
      approvedAt: approved.at.toISOString(),
      signature,
      card,
      gateReport,
      dataset,
    },
  };
}

function subjectsOf({ artifact, signature, card, gateReport }: VersionDigests): ReleaseStatement['subject'] {
  const named: [string, Digest | null][] = [
    [ARTIFACT_SUBJECT, artifact],
    ['signature.json', signature],
    ['card.json', card],
    ['gate-report.json', gateReport],
  ];
  return named.flatMap(([name, digest]) =>
    digest === null ? [] : [{ name, digest: { sha256: digest.slice('sha256:'.length) } }],
  );
}

/** The digests that a statement names. Undefined where it names no artifact, or its two lists contradict each other. */
export function digestsIn({ subject, predicate }: ReleaseStatement): VersionDigests | undefined {
  const { model, version, signature, card, gateReport, dataset } = predicate;
  const artifact = subject.find(({ name }) => name === ARTIFACT_SUBJECT)?.digest.sha256;
  if (artifact === undefined) return undefined;
  const digests = {
    model,
    version,
    artifact: `sha256:${artifact}`,
    signature,
    card,
    gateReport,
    dataset,
  };
  return canonicalJson(subjectsOf(digests)) === canonicalJson(subject) ? digests : undefined;
}

/** A statement as it is signed. */
export function encodeStatement(statement: ReleaseStatement): Buffer {
  return Buffer.from(canonicalJson(statement), 'utf8');
}

/** Undefined where the bytes are no statement of a release. */
export function decodeStatement(payload: Uint8Array): ReleaseStatement | undefined {
  try {
    return releaseStatementSchema.safeParse(JSON.parse(Buffer.from(payload).toString('utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
