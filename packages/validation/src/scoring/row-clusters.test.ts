import { describe, expect, it } from 'vitest';
import { ClusterNumbers, selectClusters } from './row-clusters.ts';

const DAY = 86_400_000n;
const times = (...instants: bigint[]): BigInt64Array => BigInt64Array.from(instants);

describe('ClusterNumbers', () => {
  it('numbers entities and days (UTC) in the order they are met, over batches', () => {
    const numbers = new ClusterNumbers(['entity', 'day'], 5);
    numbers.add({ times: times(0n, DAY - 1n, DAY), keys: ['a', 'b', 'a'] });
    numbers.add({ times: times(DAY + 5n, 0n), keys: ['c', 'b'] });
    const { entity, day } = numbers.finish();
    expect([...entity!]).toEqual([0, 1, 0, 2, 1]);
    expect([...day!]).toEqual([0, 0, 1, 1, 0]);
  });

  it('keeps days before 1970 apart from the first one after', () => {
    const numbers = new ClusterNumbers(['day'], 3);
    numbers.add({ times: times(-1n, 0n, -DAY - 1n), keys: null });
    expect([...numbers.finish().day!]).toEqual([0, 1, 2]);
  });

  it('keeps only what is asked for', () => {
    const numbers = new ClusterNumbers([], 1);
    numbers.add({ times: times(0n), keys: ['a'] });
    expect(numbers.finish()).toEqual({});
  });
});

describe('selectClusters', () => {
  it('numbers what is left anew without gaps', () => {
    expect([...selectClusters(Int32Array.of(0, 1, 2, 1, 5), Uint32Array.of(1, 3, 4))]).toEqual([0, 0, 1]);
  });
});
