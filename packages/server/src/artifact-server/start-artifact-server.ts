import { randomBytes } from 'node:crypto';
import type { RunningArtifactServer } from '@perennial/validation';
import { ArtifactServerError } from '../errors.ts';
import type { ServerProcess } from './server-process.ts';
import { openProcess, type WaitingProcess } from './waiting-process.ts';

export interface ArtifactServerOptions {
  /** How long it may take to come up, in milliseconds. @default 30000 */
  startMilliseconds?: number;
  /** Where its working folder is made. @default the system's folder for temporary files */
  temporaryFolder?: string;
  /** A process that waits for an artifact. @default one is started */
  waiting?: WaitingProcess | undefined;
}

/**
 * Starts a process of its own that serves an artifact's file under a model's name, on a random port of the loopback address, to whoever has its random token;
 * resolves once it answers. It sees none of this process's environment variables, and ends when this process does.
 *
 * @throws ArtifactServerError when it does not come up, with what it last said
 */
export async function startArtifactServer(
  { file, model }: { file: string; model: string },
  { startMilliseconds = 30_000, temporaryFolder, waiting }: ArtifactServerOptions = {},
): Promise<RunningArtifactServer> {
  const { server, folder, close } = waiting ?? (await openProcess(temporaryFolder));
  const token = randomBytes(32).toString('base64url');
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
