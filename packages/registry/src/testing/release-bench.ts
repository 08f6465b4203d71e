import { IdGenerator, ManualClock, type ReleasePolicy, type Role } from '@perennial/contract';
import { savePipeline, transaction, type Database } from '@perennial/storage';
import { SPEC, createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import type { Caller, ReleaseDesk } from '../release-context.ts';
import { registerCandidate, type Candidate, type Registration } from '../registration.ts';
import { digest, makeCandidate, seed, type CandidateOptions } from './candidate.ts';
import { testSigning } from './signed-version.ts';

/** A model's releases on a database of their own: candidates are registered as runs do it, and people decide. */
export class ReleaseBench {
  readonly clock = new ManualClock('2001-02-01T03:00:00Z');
  readonly ids = new IdGenerator(this.clock);
  readonly model = SPEC.name;
  readonly desk: ReleaseDesk;
  readonly signing = testSigning();
  readonly #test: TestDatabase;

  private constructor(test: TestDatabase) {
    this.#test = test;
    const { clock, ids } = this;
    this.desk = { database: test.database, clock, ids, signer: this.signing.signer };
  }

  static async open(options: { maxConnections?: number } = {}): Promise<ReleaseBench> {
    const test = await createTestDatabase(options);
    await seed(test.database);
    return new ReleaseBench(test);
  }

  get database(): Database {
    return this.#test.database;
  }

  /** For processes that open connections of their own. */
  get address(): TestDatabase['address'] {
    return this.#test.address;
  }

  get db(): Database['orm'] {
    return this.#test.database.orm;
  }

  candidate(options: Omit<CandidateOptions, 'database' | 'ids'>): Promise<Candidate> {
    return makeCandidate({ database: this.database, ids: this.ids, ...options });
  }

  register(candidate: Candidate): Promise<Registration> {
    return transaction(this.database, (tx) => registerCandidate(tx, candidate, this.desk));
  }

  /** So many versions, each the champion after the one before it, a second apart. */
  async champions(count: number): Promise<void> {
    for (let version = 1; version <= count; version += 1) {
      const first = version === 1;
      const verdict = first ? 'no-baseline' : 'pass';
      await this.register(await this.candidate({ verdict, against: first ? null : version - 1 }));
      this.clock.advance(1_000);
    }
  }

  /** What the model's pipeline says from now on. */
  async policy(release: ReleasePolicy): Promise<void> {
    const spec = { ...SPEC, release };
    await savePipeline(this.db, { spec, codeDigest: digest(1), loadedAt: this.clock.now() });
  }

  async close(): Promise<void> {
    await this.#test.drop();
  }
}

/** Somebody with these roles. */
export function person(name: string, ...roles: Role[]): Caller {
  return { name, roles, models: null, kind: 'person', origin: '192.0.2.7 req_test' };
}
