import { describe, expect, it } from 'vitest';
import { BackendUnavailableError } from '../errors.ts';
import { probeBackend, startBackend } from './choose-backend.ts';
import { importOptional } from './start-backend.ts';

describe('an optional backend', () => {
  it('names the package that is not installed', async () => {
    const importing = importOptional('tfjs-node', '@tensorflow/not-there');
    await expect(importing).rejects.toThrow(BackendUnavailableError);
    await expect(importing).rejects.toThrow("the package '@tensorflow/not-there' is not installed");
  });

  it('says what went wrong where the package is there and does not load', async () => {
    const broken = 'data:text/javascript,throw new Error("no libcudart.so")';
    await expect(importOptional('tfjs-node-gpu', broken)).rejects.toThrow('did not load: no libcudart.so');
  });
});

describe('a probe', () => {
  it('tells of a usable backend and its device', async () => {
    expect(await probeBackend('cpu')).toEqual({
      name: 'cpu',
      usable: true,
      device: 'CPU (JavaScript)',
      missing: null,
    });
  });

  it('tells of a backend that cannot be used and why, or of its device', async () => {
    const report = await probeBackend('webgpu');
    expect(report.usable).toBe(report.missing === null);
    expect(report.usable).toBe(report.device !== null);
  });
});

describe('the backend', () => {
  it('is the one asked for', async () => {
    expect(await startBackend('wasm')).toEqual({
      name: 'wasm',
      device: expect.stringContaining('WebAssembly') as string,
    });
  });

  it('is the same every time where the choice is left to the platform', async () => {
    expect(await startBackend('auto')).toEqual(await startBackend('auto'));
  });
});
