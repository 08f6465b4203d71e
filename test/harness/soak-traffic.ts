import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';
import type { Client } from '@perennial/client';
import { features, type Visit } from './visits.ts';

/** Rows of the large request, which goes to a thread. */
const LARGE_ROWS = 2_000;
/** Facts are told in batches of so many. */
const FACTS = 200;

export interface SoakOptions {
  client: Client;
  model: string;
  visits: readonly Visit[];
}

/**
 * What a platform gets to do in production, all of it at once and without end: predictions in each of its ways, facts, requests that are wrong or break off. Each kind
 * waits for its answer before it asks again, so that the traffic is as much as the machine can take.
 */
export class SoakTraffic {
  /** Predictions that were acknowledged, and facts that were accepted. */
  predictions = 0;
  facts = 0;
  /** Requests that were wrong and were told so, and those that broke off. */
  refused = 0;
  readonly failures: unknown[] = [];
  readonly #client: Client;
  readonly #model: string;
  readonly #visits: readonly Visit[];
  /** Ids whose facts have not been told, with what happened. */
  #untold: { prediction: string; label: boolean }[] = [];
  #asked = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor({ client, model, visits }: SoakOptions) {
    this.#client = client;
    this.#model = model;
    this.#visits = visits;
  }

  start(): void {
    const kinds = [
      () => this.#predict(1),
      () => this.#predict(1),
      () => this.#predict(20),
      () => this.#predict(LARGE_ROWS, 500),
      () => this.#infer(),
      () => this.#predictLater(),
      () => this.#tellFacts(),
      () => this.#askWrongly(),
      () => this.#breakOff(),
    ];
    this.#stopped = false;
    this.#running = Promise.all(kinds.map((kind) => this.#repeat(kind)));
  }

  /** Resolves once every request has its answer and every fact is told. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    while (this.#untold.length > 0 && this.failures.length === 0) await this.#tellFacts();
  }

  async #repeat(kind: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        await kind();
      } catch (error) {
        this.failures.push(error);
        return;
      }
    }
  }

  #take(rows: number): Visit[] {
    return Array.from({ length: rows }, () => this.#visits[this.#asked++ % this.#visits.length]!);
  }

  /** @param pause milliseconds after the answer */
  async #predict(rows: number, pause = 0): Promise<void> {
    const visits = this.#take(rows);
    const { predictions } = await this.#client.predict({
      params: { model: this.#model },
      body: { instances: visits.map(features), keys: visits.map(({ visitor }) => visitor) },
    });
    this.predictions += predictions.length;
    // Of a large request the first are told of: facts are for the predictions that came singly.
    const told = predictions.slice(0, 20);
    this.#untold.push(...told.map(({ id }, row) => ({ prediction: id, label: visits[row]!.bought })));
    if (pause > 0) await rest(pause);
  }

  /** The Open Inference Protocol. */
  async #infer(): Promise<void> {
    const visits = this.#take(4);
    const tensor = (name: string, datatype: string, data: unknown[]) => ({
      name,
      datatype,
      shape: [data.length, 1],
      data,
    });
    const inputs = [
      tensor(
        'pages',
        'FP32',
        visits.map(({ pages }) => pages),
      ),
      tensor(
        'country',
        'BYTES',
        visits.map(({ country }) => country),
      ),
    ];
    const response = await this.#post(`/v2/models/${this.#model}/infer`, JSON.stringify({ inputs }));
    const text = await response.text();
    if (response.status !== 200) throw new Error(`An inference was answered ${response.status}: ${text}`);
    this.predictions += visits.length;
  }

  async #predictLater(): Promise<void> {
    const params = { model: this.#model };
    const instances = this.#take(3).map(features);
    const { id } = await this.#client.predictAsync({ params, body: { instances } });
    const ended = await this.#client.getAsyncPrediction({
      params: { asyncPrediction: id },
      query: { wait: '30s' },
    });
    if (ended.state !== 'completed')
      throw new Error(`An asynchronous prediction ended as ${JSON.stringify(ended)}`);
    this.predictions += instances.length;
    await rest(200);
  }

  async #tellFacts(): Promise<void> {
    const items = this.#untold.splice(0, FACTS);
    if (items.length === 0) return void (await rest(20));
    const { accepted } = await this.#client.postGroundTruth({ body: { items } });
    if (accepted !== items.length) throw new Error(`${items.length} facts were told, ${accepted} accepted.`);
    this.facts += accepted;
  }

  async #askWrongly(): Promise<void> {
    const path = `/v1/models/${this.#model}/predict`;
    const wrong: [string, string, number][] = [
      [path, '{ "instances": [', 400],
      [path, '{"instances":[{"pages":"3","country":"de"}]}', 400],
      [path, '{"instances":[]}', 400],
      ['/v1/models/nobody/predict', '{"instances":[{}]}', 404],
    ];
    for (const [to, body, status] of wrong) {
      const response = await this.#post(to, body);
      const text = await response.text();
      if (response.status !== status)
        throw new Error(`${to} answered ${response.status} (not ${status}) to ${body}: ${text}`);
      this.refused += 1;
    }
    await rest(50);
  }

  /** Goes away in the middle of a body. */
  async #breakOff(): Promise<void> {
    const { hostname, port } = new URL(this.#client.baseUrl);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    // The server may be the first to end what has nothing more to say.
    socket.on('error', () => undefined);
    const head = `POST /v1/models/${this.#model}/predict HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 1000\r\n\r\n`;
    socket.write(`${head}{"instances":[`);
    await rest(50);
    socket.destroy();
    this.refused += 1;
  }

  #post(path: string, body: string): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return fetch(new URL(path, this.#client.baseUrl), { method: 'POST', headers, body });
  }
}
