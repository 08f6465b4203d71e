/** Points of a curve, in order. */
export interface CurvePoints {
  x: Float64Array;
  y: Float64Array;
}

/** Nearer than this to the line between its neighbours, a point adds nothing that a plot could show. */
const FLAT = 1e-9;

/** A stretch of the curve between two points that are kept, and the point that lies farthest from the line between them. */
interface Stretch {
  first: number;
  last: number;
  farthest: number;
  distance: number;
}

/**
 * At most so many of a curve's points, chosen to keep its shape: the first, the last, and again and again the one that lies farthest from
 * what has been chosen so far (Douglas & Peucker, "Algorithms for the reduction of the number of points …", Cartographica 10, 1973, by
 * number instead of by tolerance).
 *
 * @param most at least 2
 */
export function thinCurve(points: CurvePoints, most: number): [number, number][] {
  const size = points.x.length;
  const kept = new Set<number>(size === 0 ? [] : [0, size - 1]);
  const stretches = size > 2 ? [stretchOf(points, 0, size - 1)] : [];
  while (kept.size < most && stretches.length > 0) {
    const widest = stretches.reduce(
      (best, { distance }, index) => (distance > stretches[best]!.distance ? index : best),
      0,
    );
    const { first, last, farthest, distance } = stretches[widest]!;
    if (distance <= FLAT) break;
    kept.add(farthest);
    stretches.splice(widest, 1, stretchOf(points, first, farthest), stretchOf(points, farthest, last));
  }
  return [...kept].sort((a, b) => a - b).map((index) => [points.x[index]!, points.y[index]!]);
}

function stretchOf({ x, y }: CurvePoints, first: number, last: number): Stretch {
  const dx = x[last]! - x[first]!;
  const dy = y[last]! - y[first]!;
  const length = Math.hypot(dx, dy);
  let farthest = first;
  let distance = 0;
  for (let index = first + 1; index < last; index++) {
    const fromX = x[index]! - x[first]!;
    const fromY = y[index]! - y[first]!;
    // Where the curve comes back to where it began there is no line to be far from, only a point.
    const away = length === 0 ? Math.hypot(fromX, fromY) : Math.abs(dx * fromY - dy * fromX) / length;
    if (away > distance) {
      distance = away;
      farthest = index;
    }
  }
  return { first, last, farthest, distance };
}
