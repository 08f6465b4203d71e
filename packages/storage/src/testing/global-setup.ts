import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { openDoor } from './test-server-door.ts';
import './provided-context.ts';

/**
 * Vitest's `globalSetup`: lets all test files of a run share one PostgreSQL, started when the first asks for it (or the one at `DATABASE_URL`).
 * @returns what stops it again
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-door-'));
  const door = await openDoor(join(folder, 'door'), process.env['DATABASE_URL']);
  project.provide('perennialTestServer', door.path);
  return async () => {
    await door.close();
    await rm(folder, { recursive: true, force: true });
  };
}
