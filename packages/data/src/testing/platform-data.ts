import {
  IdGenerator,
  ManualClock,
  type FeatureValue,
  type LabelValue,
  type Signature,
} from '@perennial/contract';
import {
  appendStreamEvents,
  ensurePredictionPartitions,
  transaction,
  type StreamPost,
} from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';

/** What was asked of a model, and when. */
export interface Asked {
  model: string;
  key?: string;
  version?: number;
  features: Record<string, FeatureValue>;
  at: Date;
}

/** A platform's database with what sources read from it. */
export class PlatformData {
  readonly #test: TestDatabase;
  readonly #clock = new ManualClock('2024-02-01T00:00:00Z');
  readonly #ids = new IdGenerator(this.#clock);

  private constructor(test: TestDatabase) {
    this.#test = test;
  }

  static async open(): Promise<PlatformData> {
    return new PlatformData(await createTestDatabase());
  }

  get database() {
    return this.#test.database;
  }

  close(): Promise<void> {
    return this.#test.drop();
  }

  /** The database's address as a connection has it. */
  get url(): string {
    const options = this.database.connectionOptions;
    if ('connectionString' in options) return options.connectionString;
    const { host, port, user, database } = options;
    return `postgres://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
  }

  async post(stream: string, events: StreamPost['events']): Promise<void> {
    const post = { stream, events, at: this.#clock.now(), nextId: () => this.#ids.next() };
    await transaction(this.database, (tx) => appendStreamEvents(tx, post));
  }

  /** A registered version, as far as sources look at it. */
  async addModel(model: string, signature: Signature): Promise<void> {
    const { sql } = this.database;
    const [at, empty] = [this.#clock.now(), sql.json({})];
    await sql`insert into models (name, created_at, latest_version) values (${model}, ${at}, 1)`;
    await sql`
      insert into model_versions (model, version, artifact_digest, artifact_bytes, signature, lineage, gate, card, as_of, created_at)
      values (${model}, 1, 'sha256:00', 1, ${sql.json(signature)}, ${empty}, ${empty}, ${empty}, ${at}, ${at})`;
  }

  /** Puts a prediction on record as shipping does; gives its plain id. */
  async addPrediction({ model, key, version = 1, features, at }: Asked): Promise<string> {
    const { sql } = this.database;
    // The day of a partition is that of the id.
    const id = new IdGenerator(new ManualClock(at.toISOString())).next();
    await ensurePredictionPartitions(sql, [at.toISOString().slice(0, 10)]);
    await sql`
      insert into predictions (id, model, version, endpoint, key, features, output, mode, latency_microseconds, at)
      values (${id}, ${model}, ${version}, ${model}, ${key ?? null}, ${sql.json(features)}, ${sql.json({ value: 0 })}, 'live', 10, ${at})`;
    return id;
  }

  async addTruth(
    about: { model: string; prediction?: string; key?: string },
    label: LabelValue,
  ): Promise<void> {
    const { sql } = this.database;
    const at = this.#clock.now();
    await sql`
      insert into ground_truth (id, model, prediction_id, key, label, observed_at, received_at, received_by)
      values (${this.#ids.next()}, ${about.model}, ${about.prediction ?? null}, ${about.key ?? null}, ${sql.json(label)}, ${at}, ${at}, 'test')`;
  }
}
