import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Built by `tsc -b` like everything else that runs. */
const PROMOTING = fileURLToPath(new URL('../dist/harness/promoting.js', import.meta.url));

/** A process that promotes and rolls back until it is killed. */
export class PromotingProcess {
  /** Changes that it was told were made. */
  changes = 0;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', () => (this.changes += 1));
  }

  /** Starts it; in the middle of promotions when this returns. */
  static async start(task: { address: object; pem: string; versions: number }): Promise<PromotingProcess> {
    const child = fork(PROMOTING, [JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const begun = once(child, 'message');
    const died = once(child, 'exit').then(() => {
      throw new Error(`The promoting process ended by itself: ${errors.slice(-2_000)}`);
    });
    const started = new PromotingProcess(child);
    await Promise.race([begun, died]);
    died.catch(() => undefined);
    return started;
  }

  /** Whether it still promotes; it ends by itself only when a change fails that should not. */
  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it at once, without a word. */
  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
