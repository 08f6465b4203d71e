import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  PerennialError,
  digestSchema,
  nameSchema,
  type Digest,
  type ReleaseStatement,
} from '@perennial/contract';
import {
  AttestationInvalidError,
  verifyAttestation,
  type TrustedKeys,
  type VersionDigests,
} from '@perennial/registry/attestation';
import { VersionNotApprovedError } from '../errors.ts';
import { systemErrorCode } from '../files/error-code.ts';
import { replaceFile } from '../files/replace-file.ts';
import { systemDelay, type Delay } from '../waiting/delay.ts';
import type { ServedVersion } from './champion.ts';

/** What is on record of a version, and what was signed of it when it was approved. */
export interface VersionEvidence {
  digests: VersionDigests;
  /** As it was found, which may be anything; null where nobody has signed the version. */
  envelope: unknown;
}

/** Says whether a version may be served. */
export interface VersionVerifier {
  /**
   * @returns what was signed of the version; a trusted key did, and it is the version that is to be served
   * @throws AttestationInvalidError otherwise
   */
  verify(model: string, champion: ServedVersion): Promise<ReleaseStatement>;
  /**
   * The artifact of a version that is asked for by its number, and what was signed of it.
   * @throws NotFoundError when there is no such version, VersionNotApprovedError when nobody has signed it
   * @throws AttestationInvalidError when what was signed is something else
   */
  find(model: string, version: number): Promise<{ artifact: Digest; statement: ReleaseStatement }>;
  /** Forgets what it keeps of other versions than those. */
  prune(keep: readonly { model: string; version: number }[]): Promise<void>;
}

export interface AttestedVersionsOptions {
  /** Folder of its own on the local disk; made when it is not there. */
  folder: string;
  /** The evidence as the database has it. */
  load: (model: string, version: number) => Promise<VersionEvidence>;
  trusted: TrustedKeys;
  /** @default the machine's timer */
  delay?: Delay;
  /** Called when evidence could not be kept on the disk; the version is served all the same. */
  onProblem?: (error: unknown) => void;
}

/** Longest that the database is waited for, where there is evidence on the disk. */
const DATABASE_MILLISECONDS = 2_000;

const evidenceSchema = z.strictObject({
  format: z.literal(1),
  digests: z.strictObject({
    model: nameSchema,
    version: z.int().positive(),
    artifact: digestSchema,
    signature: digestSchema,
    card: digestSchema,
    gateReport: digestSchema.nullable(),
    dataset: digestSchema.nullable(),
  }),
  envelope: z.unknown(),
});

/**
 * Holds versions against what was signed of them. Evidence comes from the database each time; while that is away, from the local disk, where what
 * held is kept. The disk need not be trusted any more than the database: both are only believed where a trusted key has signed.
 */
export class AttestedVersions implements VersionVerifier {
  readonly #options: AttestedVersionsOptions;
  readonly #delay: Delay;

  private constructor(options: AttestedVersionsOptions) {
    this.#options = options;
    this.#delay = options.delay ?? systemDelay;
  }

  static async open(options: AttestedVersionsOptions): Promise<AttestedVersions> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    return new AttestedVersions(options);
  }

  async verify(model: string, champion: ServedVersion): Promise<ReleaseStatement> {
    const name = { model, version: champion.version };
    const evidence = await this.#evidence(name);
    if (evidence.digests.artifact !== champion.artifact)
      throw new AttestationInvalidError(name, 'its artifact is not the one on record');
    return this.#verify(name, evidence);
  }

  async find(model: string, version: number): Promise<{ artifact: Digest; statement: ReleaseStatement }> {
    const name = { model, version };
    const evidence = await this.#evidence(name);
    if (evidence.envelope === null) throw new VersionNotApprovedError(model, version);
    return { artifact: evidence.digests.artifact, statement: await this.#verify(name, evidence) };
  }

  async #verify(name: VersionName, { digests, envelope }: VersionEvidence): Promise<ReleaseStatement> {
    const statement = verifyAttestation(envelope, { ...digests, ...name }, this.#options.trusted);
    await this.#keep(name, { digests, envelope });
    return statement;
  }

  async prune(keep: readonly { model: string; version: number }[]): Promise<void> {
    const names = new Set(keep.map(({ model, version }) => `${model}@${version}.json`));
    for (const name of await readdir(this.#options.folder)) {
      // What ends otherwise is being written.
      if (name.endsWith('.json') && !names.has(name))
        await rm(join(this.#options.folder, name), { force: true });
    }
  }

  /** @throws what the database throws when it is away and there is nothing on the disk */
  async #evidence(name: VersionName): Promise<VersionEvidence> {
    const asking = this.#options.load(name.model, name.version);
    const late = new AbortController();
    const patience = this.#delay(DATABASE_MILLISECONDS, late.signal).then(() => undefined);
    try {
      const answered = await Promise.race([asking, patience]);
      return answered ?? (await this.#read(name)) ?? (await asking);
    } catch (error) {
      const kept = isAway(error) ? await this.#read(name) : undefined;
      if (kept === undefined) throw error;
      return kept;
    } finally {
      late.abort();
      // Nobody waits for it where the disk has answered.
      asking.catch(() => undefined);
    }
  }

  /** Undefined where there is none, or it cannot be understood. */
  async #read(name: VersionName): Promise<VersionEvidence | undefined> {
    try {
      const text = await readFile(join(this.#options.folder, fileName(name)), 'utf8');
      return evidenceSchema.safeParse(JSON.parse(text)).data;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Not brought to disk: what a power cut takes is asked for again. */
  async #keep(name: VersionName, evidence: VersionEvidence): Promise<void> {
    const path = join(this.#options.folder, fileName(name));
    await replaceFile(path, JSON.stringify({ format: 1, ...evidence }), { sync: false }).catch(
      (error: unknown) => this.#options.onProblem?.(error),
    );
  }
}

type VersionName = { model: string; version: number };

/** A name from a database that someone else can write to must not become a path elsewhere. @throws ZodError */
function fileName({ model, version }: VersionName): string {
  return `${nameSchema.parse(model)}@${version}.json`;
}

function isAway(error: unknown): boolean {
  return error instanceof PerennialError && error.transient;
}
