import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '@perennial/client';

/** Built by `tsc -b` like everything else that runs. */
const VICTIM = fileURLToPath(new URL('../dist/harness/victim.js', import.meta.url));

/** A platform in its own process, which can be killed at any moment. */
export class VictimProcess {
  readonly client: Client;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.client = createClient({ baseUrl: url });
  }

  /** Starts a platform with this environment; ready when it answers. */
  static async start(environment: Record<string, string>): Promise<VictimProcess> {
    const child = fork(VICTIM, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const started = once(child, 'message') as Promise<[{ url: string }]>;
    const died = once(child, 'exit').then(() => {
      throw new Error(`The platform ended before it answered: ${errors.slice(-2_000)}`);
    });
    const [{ url }] = await Promise.race([started, died]);
    return new VictimProcess(child, url);
  }

  /** Moves the platform's clock. */
  async setClock(instant: string): Promise<void> {
    const moved = once(this.#child, 'message');
    this.#child.send({ clock: instant });
    await Promise.race([moved, once(this.#child, 'exit')]);
  }

  /** Ends it at once, without a word. */
  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** Sends a signal: `SIGSTOP` freezes it where it is, `SIGCONT` lets it go on. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends it as an operator would. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }
}
