import { randomUUID } from 'node:crypto';
import type { Checkup, DoctorReport } from '@perennial/contract';
import type { ArtifactStore, Database } from '@perennial/storage';
import { detectBackends } from '@perennial/training';
import type { Config } from '../config/config.ts';
import { accessCheckup, runtimeCheckup, trainingCheckup } from './checkups.ts';

export interface DoctorDependencies {
  config: Config;
  database: Database;
  artifacts: ArtifactStore;
}

/** Looks at what the platform found on its machine: the training backend, the database, the artifact store, the runtime. */
export class Doctor {
  readonly #dependencies: DoctorDependencies;

  constructor(dependencies: DoctorDependencies) {
    this.#dependencies = dependencies;
  }

  async examine(): Promise<DoctorReport> {
    const { config } = this.#dependencies;
    const [database, artifacts, backends] = await Promise.all([
      this.#database(),
      this.#artifacts(),
      detectBackends(config.environment),
    ]);
    const checkups = [
      runtimeCheckup(),
      database,
      artifacts,
      accessCheckup(config),
      trainingCheckup(backends),
    ];
    return { checkups };
  }

  async #database(): Promise<Checkup> {
    const { config, database } = this.#dependencies;
    const kind = config.database.kind === 'embedded' ? 'embedded' : 'external';
    try {
      const [row] = await database.sql<{ server_version: string }[]>`show server_version`;
      const found = `PostgreSQL ${row?.server_version ?? '?'}, ${kind}`;
      return { name: 'database', state: 'good', found, advice: null };
    } catch (error) {
      const found = error instanceof Error ? error.message : 'no answer';
      return {
        name: 'database',
        state: 'bad',
        found,
        advice: 'Check DATABASE_URL and that the server is up.',
      };
    }
  }

  /** Writes, reads back and deletes a few bytes, as the platform itself would; other bytes each time, since several may look at once. */
  async #artifacts(): Promise<Checkup> {
    const { config, artifacts } = this.#dependencies;
    const place =
      config.artifacts.kind === 'folder'
        ? `folder ${config.artifacts.folder}`
        : `S3 at ${config.artifacts.endpoint}`;
    try {
      const { digest } = await artifacts.put(Buffer.from(`doctor ${randomUUID()}`));
      await artifacts.get(digest);
      await artifacts.delete(digest);
      return { name: 'artifact store', state: 'good', found: place, advice: null };
    } catch (error) {
      const found = `${place}: ${error instanceof Error ? error.message : 'no answer'}`;
      return {
        name: 'artifact store',
        state: 'bad',
        found,
        advice: 'Check that it can be written to and is not full.',
      };
    }
  }
}
