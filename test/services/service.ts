import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A server of others that tests need, running for them alone. */
export interface Service {
  /** What tells tests and platform where it is. */
  environment: Record<string, string>;
  pid: number;
  stop(): Promise<void>;
}

const START_DEADLINE_MILLISECONDS = 60_000;
const ASK_AGAIN_MILLISECONDS = 100;
const LAST_WORDS = 4_000;

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Keeps the end of what a process says, for the message when it fails. */
function lastWords(child: ChildProcess): () => string {
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-LAST_WORDS)));
  return () => words;
}

/**
 * Waits until the service of a process answers.
 * @returns the end of what it has said, at any time
 * @throws when the process ends before, or a minute has passed
 */
export async function untilReady(
  child: ChildProcess,
  answers: () => Promise<boolean>,
): Promise<() => string> {
  const words = lastWords(child);
  const until = performance.now() + START_DEADLINE_MILLISECONDS;
  while (!(await answers())) {
    if (hasEnded(child)) throw new Error(`${child.spawnfile} ended before it answered: ${words()}`);
    if (performance.now() > until)
      throw new Error(`${child.spawnfile} did not answer in a minute: ${words()}`);
    await pause(ASK_AGAIN_MILLISECONDS);
  }
  return words;
}

/** Sends a signal and waits for the end; nothing happens when the process has ended already. */
export async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const end = once(child, 'exit');
  child.kill(signal);
  await end;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
