import { onTestFinished } from 'vitest';
import { IdGenerator, type PredictionOutput, type ServingSpec } from '@perennial/contract';
import { openDatabase, saveEntityRows, type Database } from '@perennial/storage';
import { createTestDatabase } from '@perennial/storage/testing';
import { EntityFeatures } from '../offline/entity-features.ts';
import { HybridPredictions } from '../offline/hybrid-predictions.ts';
import { PrecomputedAnswers } from '../offline/precomputed-answers.ts';
import { PredictionLookups } from '../offline/prediction-lookups.ts';
import { doorTo, type DatabaseDoor } from './database-door.ts';
import { ServedPlatform } from './served-platform.ts';

export interface OfflinePlatformOptions {
  /** What precomputed answers may take in memory. */
  maxBytes?: number;
}

interface OfflineParts extends OfflinePlatformOptions {
  served: ServedPlatform;
  database: Database;
  door: DatabaseDoor;
  /** The way through the door. */
  through: Database;
}

/** A served platform whose keys are looked up in a database that stands behind a door. */
export class OfflinePlatform {
  readonly answers: PrecomputedAnswers;
  readonly entities: EntityFeatures;
  readonly lookups: PredictionLookups;
  readonly hybrid: HybridPredictions;

  readonly served: ServedPlatform;
  /** The test's own way to it. */
  readonly database: Database;
  readonly door: DatabaseDoor;

  private constructor({ served, database, door, through, maxBytes }: OfflineParts) {
    this.served = served;
    this.database = database;
    this.door = door;
    const { table, models, journal, clock } = served;
    this.answers = new PrecomputedAnswers({
      table,
      database: through,
      ...(maxBytes !== undefined && { maxBytes }),
    });
    this.entities = new EntityFeatures({ database: through, clock });
    const ids = new IdGenerator(clock);
    this.lookups = new PredictionLookups({ table, answers: this.answers, journal, ids, clock });
    const { lookups, entities } = this;
    this.hybrid = new HybridPredictions({ online: served.service, table, models, lookups, entities });
  }

  static async start(options: OfflinePlatformOptions = {}): Promise<OfflinePlatform> {
    const served = await ServedPlatform.start();
    const test = await createTestDatabase();
    const { address, door } = await doorTo(test.address);
    const through = await openDatabase({ ...address, maxConnections: 3 });
    const platform = new OfflinePlatform({ ...options, served, database: test.database, door, through });
    onTestFinished(async () => {
      platform.answers.close();
      await through.close();
      await test.drop();
    });
    return platform;
  }

  /** Serves the model, whose champion answers `x + version`, in some way. */
  async serve(model: string, version: number, serving: ServingSpec): Promise<void> {
    this.served.promote(model, version);
    this.served.amend(model, { serving });
    await this.served.table.refresh();
  }

  /** Puts a table of answers into the database. @returns its plain id */
  async precompute(
    model: string,
    version: number,
    answers: Record<string, PredictionOutput>,
  ): Promise<string> {
    const { clock } = this.served;
    const id = new IdGenerator(clock).next();
    const keys = Object.keys(answers);
    const outputs = keys.map((key) => JSON.stringify(answers[key]));
    await this.database.sql`
      insert into precomputations (id, model, version, artifact, state, cause, requested_by, created_at)
      values (${id}, ${model}, ${version}, 'a', 'running', 'request', 'test', ${clock.now()})`;
    await this.database.sql`
      insert into precomputed_predictions (precomputation, key, output, features, features_at, computed_at)
      select ${id}::uuid, r.key, r.output::jsonb, '{"x": 1}', ${clock.now()}, ${clock.now()}
      from unnest(${keys}::text[], ${outputs}::text[]) as r(key, output)`;
    return id;
  }

  /** As a server that has heard which table answers now. */
  async use(model: string, precomputed: { id: string; version: number }): Promise<void> {
    this.served.amend(model, { precomputed });
    await this.served.table.refresh();
  }

  async know(model: string, rows: Record<string, object>): Promise<void> {
    const at = this.served.clock.now();
    await saveEntityRows(this.database.orm, {
      model,
      dataset: 'd',
      rows: Object.entries(rows).map(([key, features]) => ({ key, features: JSON.stringify(features), at })),
    });
  }
}
