import type { WeightTensor } from '@perennial/onnx';

/** For each place along an axis, the place of the same thing in the earlier weights; −1 where it is new. */
export type AxisMap = Int32Array;

/** Which places of `before` hold the keys of `now`. */
export function matchKeys(now: readonly { key: string }[], before: readonly { key: string }[]): AxisMap {
  const places = new Map(before.map(({ key }, i) => [key, i]));
  return Int32Array.from(now, ({ key }) => places.get(key) ?? -1);
}

/**
 * Earlier weights in today's places: an entry whose row and column both were there before has its earlier value, any other the
 * fresh one. A vector is one row.
 */
export function carried(
  fresh: WeightTensor,
  earlier: WeightTensor,
  maps: { rows: AxisMap; columns: AxisMap },
): WeightTensor {
  const data = fresh.data.slice();
  const width = maps.columns.length;
  const earlierWidth = earlier.shape.at(-1)!;
  maps.rows.forEach((fromRow, row) => {
    if (fromRow < 0) return;
    maps.columns.forEach((fromColumn, column) => {
      if (fromColumn >= 0) data[row * width + column] = earlier.data[fromRow * earlierWidth + fromColumn]!;
    });
  });
  return { shape: fresh.shape, data };
}

/** Places that are new. */
export function countNew(map: AxisMap): number {
  return map.reduce((count, place) => count + (place < 0 ? 1 : 0), 0);
}
