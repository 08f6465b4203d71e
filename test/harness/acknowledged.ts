import type { Client } from '@perennial/client';
import { everyItem } from '@perennial/client';
import { features, type Visit } from './visits.ts';

const BATCH = 20;

/** What a client was told is on record, and must therefore be there whatever happens next. */
export class Acknowledged {
  /** Ids of predictions by key. */
  readonly predictions = new Map<string, string>();
  readonly truths = new Map<string, boolean>();

  /** Asks and tells until all visits of the day are through, or the platform is gone. */
  async replay(client: Client, visits: Visit[], model: string): Promise<void> {
    for (const batch of batches(visits.filter((visit) => !this.truths.has(visit.visitor)))) {
      const unasked = batch.filter((visit) => !this.predictions.has(visit.visitor));
      if (unasked.length > 0) await this.#ask(client, unasked, model);
      const items = batch.map((visit) => ({
        prediction: this.predictions.get(visit.visitor) ?? '',
        label: visit.bought,
      }));
      const { accepted } = await client.postGroundTruth({ body: { items } });
      if (accepted !== items.length)
        throw new Error(`${items.length} facts were sent, ${accepted} accepted.`);
      for (const visit of batch) this.truths.set(visit.visitor, visit.bought);
    }
  }

  async #ask(client: Client, visits: Visit[], model: string): Promise<void> {
    const body = { instances: visits.map(features), keys: visits.map((visit) => visit.visitor) };
    const { predictions } = await client.predict({ params: { model }, body });
    visits.forEach((visit, i) => this.predictions.set(visit.visitor, predictions[i]?.id ?? ''));
  }

  /** Predictions on record by id, with how often each is there. */
  static async onRecord(client: Client, model: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const pages = everyItem((cursor) => client.listPredictions({ query: { model, limit: 500, cursor } }));
    for await (const { id } of pages) counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  }
}

function* batches(visits: Visit[]): Generator<Visit[]> {
  for (let start = 0; start < visits.length; start += BATCH) yield visits.slice(start, start + BATCH);
}
