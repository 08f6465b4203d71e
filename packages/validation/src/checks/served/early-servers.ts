import type { ArtifactFile, RunningArtifactServer, StartArtifactServer } from './artifact-server.ts';

/**
 * Starts the processes that serve artifacts before they are asked for: they open their artifacts while rows are scored and compared, which keeps one core busy. Each is
 * handed out once.
 */
export class EarlyServers {
  readonly #start: StartArtifactServer;
  readonly #begun = new Map<string, Promise<RunningArtifactServer>>();

  constructor(start: StartArtifactServer) {
    this.#start = start;
  }

  /** Does not throw: what fails is told of to who asks for the server. */
  begin(artifact: ArtifactFile): void {
    if (this.#begun.has(artifact.file)) return;
    const started = this.#start(artifact);
    started.catch(() => undefined);
    this.#begun.set(artifact.file, started);
  }

  /** The one that was begun for this file, or a new one. */
  readonly start: StartArtifactServer = (artifact) => {
    const begun = this.#begun.get(artifact.file);
    this.#begun.delete(artifact.file);
    return begun ?? this.#start(artifact);
  };

  /** Ends those that nobody asked for; the others are closed by who did. */
  async close(): Promise<void> {
    const unclaimed = [...this.#begun.values()];
    this.#begun.clear();
    const end = async (started: Promise<RunningArtifactServer>) => (await started).close();
    await Promise.allSettled(unclaimed.map(end));
  }
}
