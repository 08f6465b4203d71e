import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from './server-process.ts';

/** A process that has been started, and waits for the artifact that it is to serve. */
export interface WaitingProcess {
  server: ServerProcess;
  /** Its working folder. */
  folder: string;
  /** Ends it; resolves when process and folder are gone. */
  close: () => Promise<void>;
}

/** Compiled JavaScript also where this file is not: Node 20 runs no TypeScript. From `src` and from `dist` it is one path. */
const ENTRY = fileURLToPath(new URL('../../bin/artifact-server.js', import.meta.url));

/** Starts a process that sees none of this process's environment variables, and ends when this process does. */
export async function openProcess(temporaryFolder: string = tmpdir()): Promise<WaitingProcess> {
  const folder = await mkdtemp(join(temporaryFolder, 'perennial-artifact-server-'));
  const server = new ServerProcess(spawn(process.execPath, [ENTRY], { env: {}, cwd: folder, stdio: 'pipe' }));
  const close = async () => {
    await server.end();
    await rm(folder, { recursive: true, force: true });
  };
  return { server, folder, close };
}
