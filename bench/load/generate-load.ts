import { performance } from 'node:perf_hooks';
import { Connection } from './connection.ts';
import { Latencies } from './latencies.ts';
import type { LoadOptions, LoadResult } from './load.ts';

/** How long answers are waited for after the last request was sent. */
const GRACE_MILLISECONDS = 10_000;

/** How long the loop sleeps while nothing is due. */
const NAP_MILLISECONDS = 0.1;
/** Nobody wakes who waits for it. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Sends the load from this process; `runLoad` gives it a process of its own. */
export function generateLoad(options: LoadOptions): Promise<LoadResult> {
  return new Generator(options).run();
}

function requestsOf({ url, path, headers, body, bodies, method }: LoadOptions): Buffer[] {
  const { host } = new URL(url);
  return (bodies ?? [body ?? '']).map((text) => {
    const bytes = text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64') : Buffer.from(text);
    const lines = Object.entries({ host, 'content-length': String(bytes.length), ...headers });
    const head = `${method ?? (text === '' ? 'GET' : 'POST')} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    return Buffer.concat([Buffer.from(head), bytes]);
  });
}

class Generator {
  readonly #options: LoadOptions;
  readonly #requests: Buffer[];
  readonly #place: { host: string; port: number };
  readonly #all = new Latencies();
  readonly #late = new Latencies();
  readonly #byStatus = new Map<number, Latencies>();
  readonly #errors = new Map<string, number>();
  /** Connections without a request, and in an open loop the moments at which requests were due that none was free for. */
  #free: Connection[] = [];
  #due: number[] = [];
  /** Tells a connection when the request that it is given was due. */
  readonly #starts = new Map<Connection, (due: number) => void>();
  #nextBody = 0;
  #underWay = 0;
  #countFrom = 0;
  #end = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#requests = requestsOf(options);
    const { hostname, port } = new URL(options.url);
    this.#place = { host: hostname.replace(/[[\]]/g, ''), port: Number(port || 80) };
  }

  async run(): Promise<LoadResult> {
    const { connections, durationSeconds, warmupSeconds = 0, rate } = this.#options;
    const start = performance.now();
    this.#countFrom = start + warmupSeconds * 1_000;
    this.#end = this.#countFrom + durationSeconds * 1_000;
    const opened = Array.from({ length: connections }, () => this.#connect());
    if (rate !== undefined) await this.#arrive(rate);
    await this.#finish();
    for (const connection of opened) connection.close();
    return this.#result();
  }

  #connect(): Connection {
    let started = 0;
    const connection = new Connection(this.#place, {
      answered: (status) => this.#record(started, status),
      lost: (underRequest) => {
        this.#free = this.#free.filter((free) => free !== connection);
        if (underRequest) this.#fail(started);
      },
      free: () => {
        const due = this.#options.rate === undefined ? performance.now() : this.#due.shift();
        if (due === undefined) this.#free.push(connection);
        else started = this.#send(connection, due);
      },
    });
    this.#starts.set(connection, (due) => (started = due));
    return connection;
  }

  #send(connection: Connection, due: number): number {
    if (performance.now() >= this.#end) return due;
    const request = this.#requests[this.#nextBody++ % this.#requests.length];
    if (request === undefined) return due;
    this.#underWay++;
    if (due >= this.#countFrom) this.#late.add(performance.now() - due);
    connection.send(request);
    return due;
  }

  /**
   * Requests come due at random, on average so many a second. A timer would be up to a millisecond late, and a loop that turns without a pause would take a processor from what it measures, which has
   * threads of its own to run: so it turns, and sleeps for a tenth of a millisecond between two turns.
   */
  #arrive(rate: number): Promise<void> {
    let next = performance.now();
    const random = seededRandom(0x5eed);
    return new Promise((resolve) => {
      const turn = () => {
        const now = performance.now();
        for (; next <= now; next -= (Math.log(1 - random()) / rate) * 1_000) this.#give(next);
        if (now >= this.#end) return resolve();
        if (next - now > 3) return setTimeout(turn, 1);
        if (next - now > NAP_MILLISECONDS) Atomics.wait(NEVER, 0, 0, NAP_MILLISECONDS);
        return setImmediate(turn);
      };
      turn();
    });
  }

  #give(due: number): void {
    const connection = this.#free.shift();
    if (connection === undefined) this.#due.push(due);
    else {
      this.#starts.get(connection)?.(due);
      this.#send(connection, due);
    }
  }

  #record(due: number, status: number): void {
    this.#underWay--;
    if (due < this.#countFrom) return;
    const milliseconds = performance.now() - due;
    this.#all.add(milliseconds);
    let latencies = this.#byStatus.get(status);
    if (latencies === undefined) this.#byStatus.set(status, (latencies = new Latencies()));
    latencies.add(milliseconds);
    if (status < 200 || status > 299) this.#count(String(status));
  }

  #fail(due: number): void {
    this.#underWay--;
    if (due >= this.#countFrom) this.#count('connection');
  }

  #count(error: string): void {
    this.#errors.set(error, (this.#errors.get(error) ?? 0) + 1);
  }

  #finish(): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        const now = performance.now();
        const done = now >= this.#end && this.#underWay === 0;
        if (done || now >= this.#end + GRACE_MILLISECONDS) resolve();
        else setTimeout(look, 5);
      };
      look();
    });
  }

  #result(): LoadResult {
    const { durationSeconds } = this.#options;
    const { count, ...summary } = this.#all.summary();
    const byStatus = Object.fromEntries(
      Array.from(this.#byStatus, ([status, latencies]) => [String(status), latencies.summary()]),
    );
    const good = Object.entries(byStatus).reduce(
      (sum, [status, one]) => sum + (status[0] === '2' ? one.count : 0),
      0,
    );
    return {
      requests: count,
      errors: Object.fromEntries(this.#errors),
      perSecond: count / durationSeconds,
      goodPerSecond: good / durationSeconds,
      ...summary,
      byStatus,
      lateP99: this.#options.rate === undefined ? 0 : this.#late.summary().p99,
    };
  }
}

/** The same arrivals in every run (mulberry32, public domain, Tommy Ettinger). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
