import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ArtifactServerError } from '../errors.ts';
import { announcementSchema, type Assignment } from './assignment.ts';

/** Lines of standard error that are kept for errors. */
const LINES_KEPT = 20;
/** How long it may take to end by itself. */
const END_MILLISECONDS = 2_000;

/** The process of an artifact's server, seen from the one that started it. */
export class ServerProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #gone: Promise<string>;
  readonly #lines: string[] = [];
  #isGone = false;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => resolve(`could not be started (${error.message})`));
      child.once('exit', () => (this.#isGone = true));
      // `close` and not `exit`: by then what it wrote has been read.
      child.once('close', (code, signal) => resolve(`ended with ${signal ?? `exit code ${String(code)}`}`));
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#lines.push(line.slice(0, 1_000));
      if (this.#lines.length > LINES_KEPT) this.#lines.shift();
    });
    // Writing to a process that is gone fails; that it is gone is told of otherwise.
    child.stdin.on('error', () => undefined);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get lastLines(): readonly string[] {
    return this.#lines;
  }

  tell(assignment: Assignment): void {
    this.#child.stdin.write(`${JSON.stringify(assignment)}\n`);
  }

  /** @throws ArtifactServerError when it ends instead, or says nothing for so long */
  async announced(milliseconds: number): Promise<{ url: string }> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`did not come up within ${milliseconds / 1000} s`), milliseconds);
    });
    const lines = createInterface({ input: this.#child.stdout });
    const line = new Promise<{ line: string }>((resolve) => {
      lines.once('line', (text) => resolve({ line: text }));
    });
    try {
      const first = await Promise.race([line, late, this.#gone]);
      if (typeof first === 'string') throw new ArtifactServerError(first, this.lastLines);
      return announcementSchema.parse(JSON.parse(first.line));
    } finally {
      clearTimeout(timer);
      lines.close();
      this.#child.stdout.resume();
    }
  }

  /** Resolves when it is gone. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    // A model that computes for ever never sees that its input has ended.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MILLISECONDS);
    await this.#gone;
    clearTimeout(timer);
  }
}
