import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelRefusedError } from '../../errors.ts';
import { inspectModel } from '../inspect-model.ts';
import { INSPECTION_LIMITS } from '../limits.ts';
import { ownSignature } from '../read-foreign.ts';
import { residentBytes } from './process-memory.ts';
import { MEMORY_EXCEEDED, type Trial, type TrialReport, type TriedModel } from './trial.ts';

export interface TrialLimits {
  /** Milliseconds until the process is killed. @default 60000 */
  timeout?: number;
  /** Bytes of resident memory at which it is killed. @default 2 GiB */
  memory?: number;
  /** Where its empty folder is made. @default the system's folder for temporary files */
  scratch?: string;
  /** Gives up, and kills it. */
  signal?: AbortSignal | undefined;
}

const TIMEOUT = 60_000;
const MEMORY = 2 * 1024 ** 3;

/** MiB that JavaScript's own heap may take: reading the file is all that is done there. */
const HEAP_MEGABYTES = 1024;

/** How often memory is looked at: filling it takes a core a second for some 5 GB, so that 100 MB are taken in between. */
const WATCH_INTERVAL = 20;

/** Characters of standard error that are kept, to tell a heap that is full from other crashes. */
const ERRORS_KEPT = 10_000;

/** Milliseconds that its output is waited for once it has ended. */
const OUTPUT_GRACE = 1_000;

/** Compiled JavaScript also where this file is not: a forked Node 20 runs no TypeScript. From `src` and from `dist` it is one path. */
const ENTRY = fileURLToPath(new URL('../../../dist/inspection/trial/child/main.js', import.meta.url));

/**
 * Loads a file from elsewhere for the first time, in a process of its own: without environment variables, in an empty folder, with limits of time and memory, and killed when it
 * has answered. It adopts the model and runs it on the sample: its answers must be finite, of the signature's shape, the same twice, and the same for a row alone. However
 * the process ends, this one stays as it is.
 *
 * @throws ModelRefusedError saying what the file did
 * @throws the signal's reason when it is aborted
 */
export async function tryModel(trial: Trial, limits: TrialLimits = {}): Promise<TriedModel> {
  limits.signal?.throwIfAborted();
  const folder = await mkdtemp(join(limits.scratch ?? tmpdir(), 'perennial-trial-'));
  try {
    const child = fork(ENTRY, [], {
      // Flags of this process (a debugger's port, a loader) are not the child's.
      execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {},
      cwd: folder,
    });
    return await new TrialProcess(child, limits).run(trial);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class TrialProcess {
  readonly #child: ChildProcess;
  readonly #timeout: number;
  readonly #memory: number;
  readonly #signal: AbortSignal | undefined;
  #errors = '';
  #report: TrialReport | undefined;
  /** Why we killed it, where we did. */
  #killedFor: Error | undefined;

  constructor(child: ChildProcess, { timeout = TIMEOUT, memory = MEMORY, signal }: TrialLimits) {
    this.#child = child;
    this.#timeout = timeout;
    this.#memory = memory;
    this.#signal = signal;
  }

  async run(trial: Trial): Promise<TriedModel> {
    const timer = setTimeout(() => this.#kill(this.#tooLong()), this.#timeout);
    const watch = setInterval(() => this.#watch(), WATCH_INTERVAL);
    const abort = () => this.#kill(reasonOf(this.#signal));
    this.#signal?.addEventListener('abort', abort, { once: true });
    // It may have been aborted while the folder was made.
    if (this.#signal?.aborted) abort();
    try {
      const end = await this.#ended(trial);
      return this.#outcome(end);
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      this.#signal?.removeEventListener('abort', abort);
    }
  }

  /** Hands the file over, and waits until the process is gone. */
  #ended(trial: Trial): Promise<string> {
    return new Promise((resolve) => {
      const child = this.#child;
      child.once('error', (cause) => resolve(`could not be started: ${cause.message}`));
      child.once('exit', (code, signal) => {
        const end = signal ?? `exit code ${code}`;
        // `close` comes when what it wrote has been read; were its end of the pipe in other hands, it would never come.
        child.once('close', () => resolve(end));
        setTimeout(() => resolve(end), OUTPUT_GRACE).unref();
      });
      child.stderr?.on('data', (data: Buffer) => {
        this.#errors = (this.#errors + data.toString('latin1')).slice(-ERRORS_KEPT);
      });
      child.on('message', (message) => {
        const report = message as TrialReport;
        // A process that dies before it has the file is told of by `exit`.
        if (report.kind === 'ready') child.send({ ...trial, memoryLimit: this.#memory }, () => undefined);
        else {
          this.#report ??= report;
          child.kill('SIGKILL');
        }
      });
    });
  }

  #outcome(end: string): TriedModel {
    if (this.#killedFor !== undefined) throw this.#killedFor;
    const report = this.#report;
    if (report?.kind === 'taken') return checked(report.tried);
    if (report?.kind === 'refused') throw new ModelRefusedError(report.reason);
    if (this.#errors.includes(MEMORY_EXCEEDED) || this.#errors.includes('heap out of memory'))
      throw this.#tooLarge();
    throw new ModelRefusedError(`it ended the process that tried it (${end})`);
  }

  #watch(): void {
    const { pid } = this.#child;
    if (pid !== undefined && residentBytes(pid) > this.#memory) this.#kill(this.#tooLarge());
  }

  #kill(reason: Error): void {
    // What it had said before still holds.
    if (this.#report === undefined) this.#killedFor ??= reason;
    this.#child.kill('SIGKILL');
  }

  #tooLong(): ModelRefusedError {
    return new ModelRefusedError(`loading and running it took longer than ${this.#timeout / 1000} s`);
  }

  #tooLarge(): ModelRefusedError {
    const megabytes = Math.round(this.#memory / 1024 ** 2);
    return new ModelRefusedError(`loading and running it took more than ${megabytes} MiB of memory`);
  }
}

/**
 * What a process says in which a hostile file has run is not believed: what it gives back is looked at as the file was.
 *
 * @throws ModelRefusedError
 */
function checked(tried: TriedModel): TriedModel {
  const { bytes, operators } = tried;
  if (!(bytes instanceof Uint8Array))
    throw new ModelRefusedError('it was not given back when it had been tried');
  const signature = ownSignature(inspectModel(bytes, { ...INSPECTION_LIMITS, bytes: Infinity }));
  if (signature === undefined || JSON.stringify(signature) !== JSON.stringify(tried.signature))
    throw new ModelRefusedError('its signature is not the one that it was tried with');
  return { bytes, signature, operators: operators.map(String), answers: tried.answers };
}

/** What the signal was aborted with; callers may abort with anything. */
function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
