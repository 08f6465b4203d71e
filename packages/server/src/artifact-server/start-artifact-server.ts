import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunningArtifactServer } from '@perennial/validation';
import { ArtifactServerError } from '../errors.ts';
import { ServerProcess } from './server-process.ts';

export interface ArtifactServerOptions {
  /** How long it may take to come up, in milliseconds. @default 30000 */
  startMilliseconds?: number;
  /** Where its working folder is made. @default the system's folder for temporary files */
  temporaryFolder?: string;
}

/** Compiled JavaScript also where this file is not: Node 20 runs no TypeScript. From `src` and from `dist` it is one path. */
const ENTRY = fileURLToPath(new URL('../../bin/artifact-server.js', import.meta.url));

/**
 * Starts a process of its own that serves an artifact's file under a model's name, on a random port of the loopback address, to whoever has its random token;
 * resolves once it answers. It sees none of this process's environment variables, and ends when this process does.
 *
 * @throws ArtifactServerError when it does not come up, with what it last said
 */
export async function startArtifactServer(
  { file, model }: { file: string; model: string },
  { startMilliseconds = 30_000, temporaryFolder = tmpdir() }: ArtifactServerOptions = {},
): Promise<RunningArtifactServer> {
  const folder = await mkdtemp(join(temporaryFolder, 'perennial-artifact-server-'));
  const token = randomBytes(32).toString('base64url');
  const child = spawn(process.execPath, [ENTRY], { env: {}, cwd: folder, stdio: 'pipe' });
  const server = new ServerProcess(child);
  const close = async () => {
    await server.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    server.tell({ file, model, token, folder });
    const { url } = await server.announced(startMilliseconds);
    return {
      url,
      token,
      residentBytes: () => residentBytes(url, server),
      lastLines: () => server.lastLines,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const RESIDENT_MEMORY = /^process_resident_memory_bytes (\S+)$/m;

/** How long the process is waited for, which may be busy with a prediction. */
const METRICS_MILLISECONDS = 10_000;

async function residentBytes(url: string, server: ServerProcess): Promise<number> {
  const signal = AbortSignal.timeout(METRICS_MILLISECONDS);
  const text = await fetch(`${url}/metrics`, { signal }).then(
    (response) => response.text(),
    (cause: unknown) => {
      throw new ArtifactServerError('does not tell its memory', server.lastLines, { cause });
    },
  );
  return Number(RESIDENT_MEMORY.exec(text)?.[1]);
}
