import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { TrainingProgress } from '@perennial/contract';
import { TrainingFailedError } from './errors.ts';
import { errorOf } from './failure.ts';
import type { Assignment, Report } from './job.ts';
import { watchMemory } from './memory-watch.ts';
import { startChild } from './start-child.ts';

export interface ProcessOptions {
  /** Working folder of the process. */
  folder?: string;
  /** A process that was started before. @default one is started now */
  child?: ChildProcess | undefined;
  /** After this long it is killed; milliseconds. */
  timeout: number;
  /** Kills it. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** All the variables that it sees. */
  environment: Record<string, string>;
  /** Bytes of resident memory at which it is killed, where the system tells them. */
  memoryLimit?: number;
  /**
   * `gently`: it is asked to end (SIGTERM), so that it can stop what it has started, and is killed only if that takes long.
   * @default 'at once'
   */
  stop?: 'at once' | 'gently';
}

/** How long a process that is stopped gently may take. */
const STOP_GRACE = 10_000;

/** How long the output is waited for once a process has ended: what it left running may hold it open for ever. */
const OUTPUT_GRACE = 2_000;

/** Lines of the process's output that an error tells of. */
const LINES_KEPT = 50;

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
  return new TrainingProcess(options.child ?? startChild(options), options).run(assignment);
}

class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #options: ProcessOptions;
  readonly #lines: string[] = [];
  #last: Exclude<Report, { kind: 'progress' }> | undefined;
  /** Why we killed it, where we did. */
  #killedFor: Error | undefined;
  #killing: NodeJS.Timeout | undefined;

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
    const endWatch = this.#watchMemory();
    try {
      const end = await this.#ended(assignment);
      return this.#outcome(end);
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#killing);
      endWatch();
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
      this.#child.once('exit', () => this.#endOutput());
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
    if (this.#options.stop !== 'gently') {
      this.#child.kill('SIGKILL');
    } else if (this.#killing === undefined) {
      // A signal and not a closed channel: after `disconnect` Node never says that the process and its output have ended.
      this.#child.kill('SIGTERM');
      this.#killing = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE);
    }
  }

  #watchMemory(): () => void {
    const { memoryLimit } = this.#options;
    const { pid } = this.#child;
    if (memoryLimit === undefined || pid === undefined) return () => undefined;
    const megabytes = Math.round(memoryLimit / 1024 ** 2);
    return watchMemory(pid, memoryLimit, () =>
      this.#kill(new TrainingFailedError(`it was stopped at its limit of ${megabytes} MiB of memory.`)),
    );
  }

  #endOutput(): void {
    const timer = setTimeout(() => {
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, OUTPUT_GRACE);
    this.#child.once('close', () => clearTimeout(timer));
  }
}

/** What the signal was aborted with; callers may abort with anything. */
function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new TrainingFailedError(`it was stopped (${String(reason)}).`);
}
