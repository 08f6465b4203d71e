import type { Sql } from '../database/sql.ts';
import { liveness, ownIdentity, type ProcessIdentity } from '../database/embedded/process-identity.ts';

/** A worker that was silent for so long is taken for dead: its lease on its jobs is over. */
export const LEASE_MILLISECONDS = 10_000;

/** Heartbeats in a lease: a busy event loop misses one or two. */
export const BEATS_PER_LEASE = 5;

/** Time is the database's own, since workers on several machines are compared. */
export class WorkerHeartbeats {
  readonly #sql: Sql;
  readonly #identity: ProcessIdentity;
  readonly #lease: string;

  private constructor(sql: Sql, identity: ProcessIdentity, leaseMilliseconds: number) {
    this.#sql = sql;
    this.#identity = identity;
    this.#lease = `${leaseMilliseconds} milliseconds`;
  }

  /** @param leaseMilliseconds silence after which any worker is taken for dead; the same in all processes on one database */
  static async forThisProcess(sql: Sql, leaseMilliseconds: number): Promise<WorkerHeartbeats> {
    return new WorkerHeartbeats(sql, await ownIdentity(), leaseMilliseconds);
  }

  /** Makes a worker known. */
  async begin(worker: string): Promise<void> {
    const { pid, startedAt, machine } = this.#identity;
    await this.#sql`
      insert into worker_heartbeats (worker, pid, process_started_at, machine, seen_at)
      values (${worker}, ${pid}, ${startedAt}, ${machine}, now())
      on conflict (worker) do update set seen_at = now()`;
  }

  /**
   * Shows that a worker lives.
   * @returns false when others took it for dead meanwhile, and with it its jobs (the machine slept, or was cut off)
   */
  async beat(worker: string): Promise<boolean> {
    const rows = await this.#sql`
      update worker_heartbeats set seen_at = now() where worker = ${worker} returning worker`;
    return rows.length > 0;
  }

  /**
   * Frees the jobs of workers that are dead: silent for too long, or of a process on this machine that is no more, which is seen at once. So a platform
   * that was killed takes its jobs up again when it starts. Jobs whose worker never made itself known are freed after the same silence.
   * @returns the dead workers
   */
  async freeJobsOfTheDead(): Promise<string[]> {
    const known = await this.#sql<(ProcessIdentity & { worker: string; silent: boolean })[]>`
      select worker, pid, process_started_at as "startedAt", machine, seen_at < now() - ${this.#lease}::interval as silent
      from worker_heartbeats`;
    const dead = await this.#unknownWorkers();
    for (const { worker, silent, ...identity } of known) {
      if (silent || (await liveness(identity)) === 'dead') dead.push(worker);
    }
    if (dead.length > 0) await this.free(dead);
    return dead;
  }

  async #unknownWorkers(): Promise<string[]> {
    const rows = await this.#sql<{ worker: string }[]>`
      select distinct locked_by as worker from graphile_worker.jobs
      where locked_at < now() - ${this.#lease}::interval
        and not exists (select from worker_heartbeats where worker = locked_by)`;
    return rows.map((row) => row.worker);
  }

  /**
   * Frees the jobs of the given workers and forgets them; in one transaction, so that a worker which lives after all finds both its name and its jobs gone,
   * or neither.
   */
  async free(dead: string[]): Promise<void> {
    await this.#sql.begin(async (tx) => {
      await tx`select graphile_worker.force_unlock_workers(${dead}::text[])`;
      await tx`delete from worker_heartbeats where worker = any(${dead}::text[])`;
    });
  }
}
