/** A process that serves one artifact over HTTP, through the code that serves it in production. */
export interface RunningArtifactServer {
  /** Where it listens: `http://127.0.0.1:41234`. */
  url: string;
  /** The bearer token that it asks for. */
  token: string;
  /** Memory that the process holds, in bytes. */
  residentBytes(): Promise<number>;
  /** What the process last wrote to its standard error, oldest first: for whoever finds that it does not answer any more. */
  lastLines(): readonly string[];
  /** Ends the process; resolves when it is gone. */
  close(): Promise<void>;
}

/** Where the processes that serve artifacts come from. */
export interface ArtifactServers {
  /** Starts processes that wait for an artifact until there are so many: each takes a second to start and load its libraries. Does not throw. */
  prepare(count: number): void;
  start: StartArtifactServer;
  /** Ends the processes that still wait; those that serve are closed by whoever started them. */
  close(): Promise<void>;
}

/** What is served, and under which model's name. */
export interface ArtifactFile {
  file: string;
  model: string;
}

/** Starts a fresh process that serves an artifact's file; resolves once it answers. */
export type StartArtifactServer = (artifact: ArtifactFile) => Promise<RunningArtifactServer>;
