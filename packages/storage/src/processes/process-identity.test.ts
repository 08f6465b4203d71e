import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { isRunning, liveness, ownIdentity } from './process-identity.ts';

describe('a process', () => {
  it('is told from a dead one, from a later one of its pid, and from one that cannot be seen', async () => {
    const own = await ownIdentity();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    expect(await liveness(own)).toBe('alive');
    expect(await liveness({ ...own, pid })).toBe('dead');
    expect(await liveness({ ...own, startedAt: '1' })).toBe('dead');
    expect(await liveness({ ...own, machine: 'elsewhere' })).toBe('unknown');
    expect([await isRunning(process.pid), await isRunning(2 ** 22 + 1)]).toEqual([true, false]);
  });
});
