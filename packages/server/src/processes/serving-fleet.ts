import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { ServingProcessError } from '../errors.ts';
import type { Logger } from '../platform/logger.ts';
import { FleetMetrics } from './fleet-metrics.ts';
import type { Assignment, FromProcess, ToProcess } from './messages.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/serving-process.js', import.meta.url));

/** Before a process that died soon after its start takes its place again; doubled with every such death in a row. */
const SHORTEST_PAUSE_MILLISECONDS = 100;
const LONGEST_PAUSE_MILLISECONDS = 10_000;

export interface FleetOptions extends Omit<Assignment, 'number'> {
  /** How many. */
  processes: number;
  logger: Logger;
}

interface Member {
  number: number;
  worker: Worker;
  /** Resolves with what it says when it answers requests. */
  up: Promise<Up>;
  wasUp: boolean;
}

interface Up {
  url: string;
  pipelines: string[];
}

/**
 * Several processes that serve on one port (node:cluster: this one takes connections and hands them out in turn). One that dies is started anew under its number, and so finds
 * the journal of the one before it: what that one had put on record and not shipped, it ships.
 */
export class ServingFleet {
  readonly #options: FleetOptions;
  readonly #members = new Map<number, Member>();
  readonly #pauses = new Map<number, NodeJS.Timeout>();
  readonly #deaths = new Map<number, number>();
  readonly #metrics: FleetMetrics;
  #ended: () => void = () => undefined;
  #stopping = false;

  private constructor(options: FleetOptions) {
    this.#options = options;
    this.#metrics = new FleetMetrics((id) => this.#tellAll({ kind: 'metrics-wanted', id }));
  }

  /** Starts all of them and waits until each answers. @throws ServingProcessError when one cannot start; the others are stopped then */
  static async start(options: FleetOptions): Promise<{ fleet: ServingFleet } & Up> {
    cluster.setupPrimary({ exec: PROGRAM, args: [], execArgv: [] });
    const fleet = new ServingFleet(options);
    try {
      // One after another: the first brings what they share on the disk and in the database up to date.
      let up: Up = { url: '', pipelines: [] };
      for (let number = 1; number <= options.processes; number++) up = await fleet.#fork(number).up;
      return { fleet, ...up };
    } catch (error) {
      await fleet.close();
      throw error;
    }
  }

  /** The ids of the processes, by their numbers. */
  get pids(): (number | undefined)[] {
    return [...this.#members.values()]
      .toSorted((a, b) => a.number - b.number)
      .map(({ worker }) => worker.process.pid);
  }

  /** Lets every process finish what is under way and ship its journal. */
  async close(): Promise<void> {
    this.#stopping = true;
    for (const pause of this.#pauses.values()) clearTimeout(pause);
    if (this.#members.size === 0) return;
    const ended = new Promise<void>((resolve) => (this.#ended = resolve));
    this.#tellAll({ kind: 'stop' });
    await ended;
  }

  #fork(number: number): Member {
    const worker = cluster.fork();
    const member: Member = { number, worker, wasUp: false, up: this.#awaitUp(worker, number) };
    // Who restarts one does not wait for it; that it ended shows as that.
    member.up.then(
      () => (member.wasUp = true),
      () => undefined,
    );
    this.#members.set(number, member);
    worker.on('message', (message: FromProcess) => void this.#take(member, message));
    // What is sent to one that is gone fails; that it is gone shows otherwise.
    worker.on('error', () => undefined);
    worker.once('exit', () => this.#lost(member));
    return member;
  }

  #awaitUp(worker: Worker, number: number): Promise<Up> {
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromProcess) => {
        if (message.kind === 'up') resolve(message);
        if (message.kind === 'failed') reject(new ServingProcessError(number, message.message));
      });
      worker.once('exit', () => reject(new ServingProcessError(number, 'it ended before it was up')));
    });
  }

  async #take({ worker, number }: Member, message: FromProcess): Promise<void> {
    if (message.kind === 'ready') {
      const { overrides, databaseUrl } = this.#options;
      tell(worker, { kind: 'start', assignment: { overrides, number, databaseUrl } });
    }
    if (message.kind === 'metrics') this.#metrics.take(message.id, message.metrics);
    if (message.kind !== 'fleet-metrics-wanted') return;
    tell(worker, { kind: 'fleet-metrics', id: message.id, text: await this.#metrics.text() });
  }

  #lost({ number, worker, wasUp }: Member): void {
    this.#members.delete(number);
    if (this.#stopping) {
      if (this.#members.size === 0) this.#ended();
      return;
    }
    const { exitCode, signalCode } = worker.process;
    this.#options.logger.error(
      { number, exitCode, signalCode },
      'a serving process ended; another takes its place',
    );
    const deaths = wasUp ? 0 : (this.#deaths.get(number) ?? 0) + 1;
    this.#deaths.set(number, deaths);
    const pause = deaths === 0 ? 0 : SHORTEST_PAUSE_MILLISECONDS * 2 ** (deaths - 1);
    const again = () => {
      this.#pauses.delete(number);
      this.#fork(number);
    };
    this.#pauses.set(number, setTimeout(again, Math.min(pause, LONGEST_PAUSE_MILLISECONDS)));
  }

  /** Answers how many were told. */
  #tellAll(message: ToProcess): number {
    for (const { worker } of this.#members.values()) tell(worker, message);
    return this.#members.size;
  }
}

function tell(worker: Worker, message: ToProcess): void {
  if (worker.isConnected()) worker.send(message);
}
