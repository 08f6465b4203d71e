import { totalmem } from 'node:os';
import { trainingResultSchema } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { hardware } from './hardware.ts';

describe('the hardware of a training', () => {
  it('names processor, cores, memory and Node as the contract has them', () => {
    const found = hardware();
    expect(trainingResultSchema.shape.hardware.parse(found)).toEqual(found);
    expect(found.cpu).not.toBe('');
    expect(found.cores).toBeGreaterThanOrEqual(1);
    expect(found.memoryBytes).toBeGreaterThan(0);
    expect(found.memoryBytes).toBeLessThanOrEqual(totalmem());
    expect(found.node).toBe(process.version);
  });
});
