import { spawnSync } from 'node:child_process';
import { backendNameSchema } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { detectBackends } from './detect-backends.ts';

describe("the doctor's look at the backends", () => {
  it('tells of every backend, usable or with what it lacks', async () => {
    const reports = await detectBackends();
    expect(reports.map(({ name }) => name)).toEqual(backendNameSchema.options);
    for (const { usable, device, missing } of reports) {
      expect(usable ? device : missing).toMatch(/\w/);
      expect(usable ? missing : device).toBeNull();
    }
    expect(reports.filter(({ usable }) => usable).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['wasm', 'cpu']),
    );
  });
});

describe('the package', () => {
  it('does not bring TensorFlow.js into the process that imports it', () => {
    const script = `await import('@perennial/training');
      const { createRequire, Module } = await import('node:module');
      console.log(JSON.stringify(Object.keys(Module._cache).filter((file) => file.includes('tensorflow'))));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([]);
  });
});
