import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { TrainingProgress } from '@perennial/contract';
import { TrainingFailedError } from './errors.ts';
import { errorOf } from './failure.ts';
import type { Assignment, Report } from './job.ts';

export interface ProcessOptions {
  /** Working folder of the process. */
  folder?: string;
  /** After this long it is killed; milliseconds. */
  timeout: number;
  /** Kills it. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

/** Lines of the process's output that an error tells of. */
const LINES_KEPT = 50;

/** The entry is compiled JavaScript also where this file is not: a forked Node 20 runs no TypeScript. From `src` and from `dist` it is one path. */
const ENTRY = fileURLToPath(new URL('../dist/child/main.js', import.meta.url));

type LastReport = Exclude<Report, { kind: 'progress' | 'failed' }>;

/**
 * Runs one assignment in a process of its own, which is gone when this settles.
 *
 * @throws TrainingFailedError when the process dies or takes too long
 * @throws the error that the process reports
 * @throws the signal's reason when it is aborted
 */
export async function runInProcess(assignment: Assignment, options: ProcessOptions): Promise<LastReport> {
  options.signal?.throwIfAborted();
  const child = fork(ENTRY, [], {
    // Flags of this process (a debugger's port, a loader) are not the child's.
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...(options.folder === undefined ? {} : { cwd: options.folder }),
  });
  return new TrainingProcess(child, options).run(assignment);
}

class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #options: ProcessOptions;
  readonly #lines: string[] = [];
  #last: Exclude<Report, { kind: 'progress' }> | undefined;
  /** Why we killed it, where we did. */
  #killedFor: Error | undefined;

  constructor(child: ChildProcess, options: ProcessOptions) {
    this.#child = child;
    this.#options = options;
    this.#keepLines(child.stdout);
    this.#keepLines(child.stderr);
    child.on('message', (report) => this.#receive(report as Report));
  }

  async run(assignment: Assignment): Promise<LastReport> {
    const { signal, timeout } = this.#options;
    const timer = setTimeout(() => this.#kill(this.#tooLong()), timeout);
    const abort = () => this.#kill(reasonOf(signal));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const end = await this.#ended(assignment);
      return this.#outcome(end);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  #receive(report: Report): void {
    if (report.kind === 'progress') this.#options.onProgress?.(report.progress);
    else this.#last = report;
  }

  #keepLines(stream: Readable | null): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.#lines.push(line);
      if (this.#lines.length > LINES_KEPT) this.#lines.shift();
      this.#options.onProgress?.({ type: 'log', line });
    });
  }

  /** Hands the assignment over and waits until the process is gone and all it wrote is read. */
  #ended(assignment: Assignment): Promise<{ exitCode: number | null; signal: string | null }> {
    return new Promise((resolve, reject) => {
      this.#child.once('error', (cause) =>
        reject(new TrainingFailedError('its process could not be started.', {}, { cause })),
      );
      this.#child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
      // A process that dies before it has the assignment is told of by `close`.
      this.#child.send(assignment, () => undefined);
    });
  }

  #outcome(end: { exitCode: number | null; signal: string | null }): LastReport {
    if (this.#killedFor !== undefined) throw this.#killedFor;
    const last = this.#last;
    if (last === undefined) {
      const how = end.signal === null ? `exit code ${end.exitCode}` : `signal ${end.signal}`;
      throw new TrainingFailedError(`its process ended with ${how}.`, { ...end, lastLines: this.#lines });
    }
    if (last.kind === 'failed') throw errorOf(last.failure, this.#lines);
    return last;
  }

  #tooLong(): TrainingFailedError {
    const seconds = Math.round(this.#options.timeout / 1000);
    return new TrainingFailedError(`it was stopped after its timeout of ${seconds} s.`, {
      lastLines: this.#lines,
    });
  }

  #kill(reason: Error): void {
    this.#killedFor ??= reason;
    this.#child.kill('SIGKILL');
  }
}

/** What the signal was aborted with; callers may abort with anything. */
function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new TrainingFailedError(`it was stopped (${String(reason)}).`);
}
