import type { ArtifactServers, RunningArtifactServer } from '@perennial/validation';
import { startArtifactServer } from './start-artifact-server.ts';
import { openProcess, type WaitingProcess } from './waiting-process.ts';

export interface ArtifactServerReserveOptions {
  /** Where working folders are made. @default the system's folder for temporary files */
  temporaryFolder?: string;
}

/** Starts the processes that serve artifacts, and on request some of them before there is an artifact; each serves one and is then gone. */
export class ArtifactServerReserve implements ArtifactServers {
  readonly #options: ArtifactServerReserveOptions;
  /** Undefined where it could not be started, which the next to be started will tell of. */
  #waiting: Promise<WaitingProcess | undefined>[] = [];

  constructor(options: ArtifactServerReserveOptions = {}) {
    this.#options = options;
  }

  prepare(count: number): void {
    while (this.#waiting.length < count)
      this.#waiting.push(openProcess(this.#options.temporaryFolder).catch(() => undefined));
  }

  readonly start = async (artifact: { file: string; model: string }): Promise<RunningArtifactServer> => {
    return startArtifactServer(artifact, { ...this.#options, waiting: await this.#take() });
  };

  async close(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    await Promise.all(waiting.map(async (process) => (await process)?.close()));
  }

  /** One that still lives; undefined where none is left. */
  async #take(): Promise<WaitingProcess | undefined> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const process = await next;
      if (process?.server.isGone === false) return process;
      await process?.close();
    }
    return undefined;
  }
}
