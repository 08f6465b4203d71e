import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The entry is compiled JavaScript also where this file is not: a forked Node 20 runs no TypeScript. From `src` and from `dist` it is one path. */
const ENTRY = fileURLToPath(new URL('../dist/child/main.js', import.meta.url));

/** Starts a training process, which waits for its assignment. */
export function startChild(options: { folder?: string; environment: Record<string, string> }): ChildProcess {
  return fork(ENTRY, [], {
    // Flags of this process (a debugger's port, a loader) are not the child's.
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: options.environment,
    ...(options.folder === undefined ? {} : { cwd: options.folder }),
  });
}
