import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Root of the repository, seen from where this file is compiled to. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Where the peers' programs are. */
export const PEERS = join(ROOT, 'bench/peers');

const CACHE = join(ROOT, '.cache/bench');

/** The system's own Python where there is one: distributions build it optimised for its profile, and Triton's wheel runs with no other. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/**
 * A Python environment of its own with those packages, made the first time and kept in `.cache`.
 * @returns the folder of its programs; null where it cannot be had, with the reason on the screen
 */
export async function pythonEnvironment(name: string, packages: readonly string[]): Promise<string | null> {
  const folder = join(CACHE, name);
  const programs = join(folder, 'bin');
  if (existsSync(join(folder, 'ready'))) return programs;
  try {
    await mkdir(CACHE, { recursive: true });
    await run(PYTHON, ['-m', 'venv', folder]);
    await run(join(programs, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages], {
      maxBuffer: 16 * 1024 * 1024,
    });
    await writeFile(join(folder, 'ready'), packages.join('\n'));
    return programs;
  } catch (error) {
    console.log(`${name}: cannot be installed here: ${firstLine(error)}`);
    return null;
  }
}

/** What of those packages is installed, such as `fastapi 0.165.0`. */
export async function installedVersions(programs: string, packages: readonly string[]): Promise<string> {
  const { stdout } = await run(join(programs, 'pip'), [
    'list',
    '--format=freeze',
    '--disable-pip-version-check',
  ]);
  const versions = new Map(
    stdout.split('\n').map((line) => line.toLowerCase().split('==') as [string, string]),
  );
  return packages
    .map((name) => name.replace(/\[.*/, '').toLowerCase())
    .map((name) => `${name} ${versions.get(name) ?? versions.get(name.replaceAll('-', '_')) ?? '?'}`)
    .join(', ');
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 3).join(' ');
}
