import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { accessCheckup, runtimeCheckup, trainingCheckup } from './checkups.ts';

describe('the doctor', () => {
  it('names the runtime', () => {
    expect(runtimeCheckup()).toMatchObject({
      state: 'good',
      found: expect.stringContaining(process.versions.node) as string,
    });
  });

  it('says who may come in', () => {
    expect(accessCheckup(loadConfig({}, {}))).toMatchObject({
      found: 'no token, 127.0.0.1 only',
      advice: 'Set PERENNIAL_ADMIN_TOKEN to listen elsewhere.',
    });
    const token = { PERENNIAL_HOST: '0.0.0.0', PERENNIAL_ADMIN_TOKEN: 'a-token-of-some-length' };
    const checkup = accessCheckup(loadConfig({}, token));
    expect(checkup).toMatchObject({ found: 'admin token, listening on 0.0.0.0', advice: null });
    expect(JSON.stringify(checkup)).not.toContain(token.PERENNIAL_ADMIN_TOKEN);
  });

  const usable = (name: 'wasm' | 'cpu') => ({ name, usable: true, device: name, missing: '' });
  const missing = (name: 'webgpu' | 'tfjs-node') => ({
    name,
    usable: false,
    device: '',
    missing: 'not installed.',
  });

  it.each([
    [[usable('wasm'), usable('cpu')], 'good', 'wasm (usable: wasm, cpu)', null],
    [[missing('webgpu'), usable('wasm')], 'good', 'wasm (usable: wasm)', 'webgpu: not installed.'],
    [[usable('cpu')], 'weak', 'cpu (usable: cpu)', null],
    [
      [missing('webgpu'), missing('tfjs-node')],
      'bad',
      'none',
      'webgpu: not installed. tfjs-node: not installed.',
    ],
  ])('judges the training backends (%#)', (...[backends, state, found, advice]) => {
    expect(trainingCheckup(backends as never)).toEqual({ name: 'training backend', state, found, advice });
  });
});
