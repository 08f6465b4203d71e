import { createRequire } from 'node:module';
import { describe, it } from 'vitest';
import { testBackend } from '../testing/backend-contract.ts';
import { nativeBackend } from './native-backend.ts';

// An optional package, which needs a library from outside the npm registry: only where someone has installed it can it be tested.
if (isInstalled('@tensorflow/tfjs-node')) testBackend(nativeBackend('tfjs-node'));
else describe('the tfjs-node backend', () => it.skip('is not installed', () => undefined));

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
