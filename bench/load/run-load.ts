import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { LoadOptions, LoadResult } from './load.ts';

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));

/** Sends the load from a process of its own, so that neither the measured server nor the caller shares a thread with it. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const child = spawn(process.execPath, [PROGRAM, '--stdin'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(options));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const answer = await text(child.stdout);
  const code = await exited;
  if (code !== 0) throw new Error(`The load could not be sent: exit code ${code}.`);
  return JSON.parse(answer) as LoadResult;
}
