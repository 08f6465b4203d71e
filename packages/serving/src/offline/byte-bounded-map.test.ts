import { describe, expect, test } from 'vitest';
import { ByteBoundedMap } from './byte-bounded-map.ts';

describe('a map of bounded bytes', () => {
  test('makes room by what was used longest ago', () => {
    const map = new ByteBoundedMap<number>(30);
    for (const [value, key] of ['a', 'b', 'c'].entries()) map.set(key, value, 10);
    expect(map.get('a')).toBe(0);
    map.set('d', 3, 10);
    expect(map.get('b')).toBeUndefined();
    expect([map.get('a'), map.get('c'), map.get('d')]).toEqual([0, 2, 3]);
    map.set('e', 4, 25);
    expect([map.size, map.bytes, map.get('e')]).toEqual([1, 25, 4]);
  });

  test('counts a value that takes the place of another once, and keeps none that is larger than the whole', () => {
    const map = new ByteBoundedMap<number>(30);
    map.set('a', 1, 10);
    map.set('a', 2, 20);
    expect([map.size, map.bytes]).toEqual([1, 20]);
    map.set('a', 3, 31);
    expect([map.size, map.bytes, map.get('a')]).toEqual([0, 0, undefined]);
  });

  test('deletes what is unwanted in several turns, and nothing that comes meanwhile', async () => {
    const map = new ByteBoundedMap<number>(1e9);
    for (let i = 0; i < 25_000; i++) map.set(`old ${i}`, i, 1);
    const deleting = map.deleteWhere((key) => key.startsWith('old'));
    map.set('new', 1, 1);
    await deleting;
    expect([map.size, map.bytes, map.get('new')]).toEqual([1, 1, 1]);
  });
});
