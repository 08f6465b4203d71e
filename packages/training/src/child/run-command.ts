import { spawn, type ChildProcess } from 'node:child_process';
import { TrainingFailedError } from '../errors.ts';
import type { CommandTask } from '../command/job.ts';

/** How long a command has between being asked to end and being killed. */
const GRACE = 5_000;

/**
 * Runs an author's command to its end. It is the head of a process group of its own, so that what it starts can be stopped with it; when it ends,
 * whatever of the group is left is killed. Its output goes where this process's goes.
 *
 * @param abandoned stops it
 * @throws TrainingFailedError when it cannot be started, ends with an error, or takes too long
 */
export async function runCommand(task: CommandTask, abandoned: AbortSignal): Promise<void> {
  const [program = '', ...args] = task.argv;
  const child = spawn(program, args, {
    cwd: task.folder,
    env: task.environment,
    detached: true,
    shell: false,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const group = new ProcessGroup(child);
  let tooLong = false;
  const timer = setTimeout(() => {
    tooLong = true;
    group.end();
  }, task.timeout);
  if (abandoned.aborted) group.end();
  abandoned.addEventListener('abort', () => group.end(), { once: true });
  try {
    const end = await group.ended(program);
    if (tooLong) {
      throw new TrainingFailedError(
        `the command was stopped after its timeout of ${task.timeout / 1000} s.`,
        end,
      );
    }
    if (end.exitCode !== 0) throw new TrainingFailedError(`the command ended with ${spoken(end)}.`, end);
  } finally {
    clearTimeout(timer);
  }
}

interface CommandEnd {
  exitCode: number | null;
  signal: string | null;
}

function spoken({ exitCode, signal }: CommandEnd): string {
  return signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
}

class ProcessGroup {
  readonly #head: ChildProcess;
  #killing: NodeJS.Timeout | undefined;

  constructor(head: ChildProcess) {
    this.#head = head;
  }

  /** Asks the group to end, and kills what has not after the grace. */
  end(): void {
    this.#signal('SIGTERM');
    this.#killing ??= setTimeout(() => this.#signal('SIGKILL'), GRACE);
  }

  /** Resolves when the head has ended and the rest of the group is told to. */
  ended(program: string): Promise<CommandEnd> {
    return new Promise((resolve, reject) => {
      this.#head.once('error', (cause) =>
        reject(
          new TrainingFailedError(
            `the command '${program}' could not be started (${codeOf(cause)}).`,
            {},
            { cause },
          ),
        ),
      );
      this.#head.once('exit', (exitCode, signal) => {
        clearTimeout(this.#killing);
        this.#signal('SIGKILL');
        resolve({ exitCode, signal });
      });
    });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#head.pid === undefined) return;
    try {
      process.kill(-this.#head.pid, signal);
    } catch (error) {
      // Nobody is left in the group.
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
