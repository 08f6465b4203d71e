/** Points (probability in, probability out) of a rising function, by rising probability. */
export type Points = [number, number][];

/** Most points of a fitted function: each of them costs a few operations a row wherever the artifact answers. */
const MOST_POINTS = 64;
/** Points are at least this far apart: float32 tells probabilities near 1 apart by 6e-8. */
const GAP = 1e-6;

/** Neighbouring rows that are given one probability: their mean place, their mean label and how many they are. */
interface Block {
  x: number;
  y: number;
  rows: number;
}

/**
 * The rising function of the probability that fits binary labels best in the squares: adjacent violators are pooled (Ayer et al., 1955; for
 * calibration Zadrozny and Elkan, 2002). The pools' centres are joined by straight lines, so that it rises everywhere and rows that the network told
 * apart stay apart (Oron and Flournoy, "Centered Isotonic Regression", 2017). Labels count as (k + 1) / (k + 2) and 1 / (k + 2) for k rows of their
 * class (Platt, 1999): no probability is 0 or 1, which a single row on the other side would prove wrong at infinite cost.
 *
 * @param targets 0 or 1, one a row
 */
export function fitIsotonic(probabilities: Float32Array, targets: Float32Array): Points {
  const blocks = separated(fewest(pooled(sortedRows(probabilities, targets))));
  const points = blocks.map(({ x, y }): [number, number] => [x, y]);
  const [first, last] = [points[0]!, points.at(-1)!];
  // Beyond the outermost pools it goes half of the way to 0 and to 1: it still rises there.
  if (first[0] > GAP) points.unshift([0, first[1] / 2]);
  if (last[0] < 1 - GAP) points.push([1, (1 + last[1]) / 2]);
  return points;
}

/** Value of a function given by its points. */
export function valueAt(points: Points, probability: number): number {
  // NaN is in no segment.
  if (Number.isNaN(probability)) return NaN;
  let [low, high] = [0, points.length - 1];
  if (probability <= points[low]![0]) return points[low]![1];
  if (probability >= points[high]![0]) return points[high]![1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle]![0] <= probability) low = middle;
    else high = middle;
  }
  const [[x0, y0], [x1, y1]] = [points[low]!, points[high]!];
  return y0 + ((probability - x0) / (x1 - x0)) * (y1 - y0);
}

/** The rows by rising probability. */
function sortedRows(probabilities: Float32Array, targets: Float32Array): Block[] {
  const positives = targets.reduce((sum, target) => sum + target, 0);
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (targets.length - positives + 2);
  const order = Uint32Array.from(targets, (_, row) => row);
  order.sort((a, b) => probabilities[a]! - probabilities[b]!);
  return Array.from(order, (row) => ({
    x: probabilities[row]!,
    y: targets[row]! === 1 ? high : low,
    rows: 1,
  }));
}

/** Neighbours are pooled until each pool's label is above that of the one before; rows of one probability always are. */
function pooled(rows: Block[]): Block[] {
  const blocks: Block[] = [];
  for (const row of rows) {
    let block = row;
    for (let before = blocks.at(-1); before !== undefined; before = blocks.at(-1)) {
      if (before.y < block.y && before.x < block.x) break;
      blocks.pop();
      block = together(before, block);
    }
    blocks.push(block);
  }
  return blocks;
}

function together(a: Block, b: Block): Block {
  const rows = a.rows + b.rows;
  return { x: (a.x * a.rows + b.x * b.rows) / rows, y: (a.y * a.rows + b.y * b.rows) / rows, rows };
}

/** As many blocks as there may be points: those two are joined first whose joining changes the fit least. */
function fewest(blocks: Block[]): Block[] {
  const left = [...blocks];
  // Two more points come at the ends.
  while (left.length > MOST_POINTS - 2) {
    const costs = left.slice(1).map((block, i) => costOfJoining(left[i]!, block));
    const cheapest = costs.reduce((best, cost, i) => (cost < costs[best]! ? i : best), 0);
    left.splice(cheapest, 2, together(left[cheapest]!, left[cheapest + 1]!));
  }
  return left;
}

/** By how much the sum of squares grows (Ward, 1963). */
function costOfJoining(a: Block, b: Block): number {
  return ((a.rows * b.rows) / (a.rows + b.rows)) * (b.y - a.y) ** 2;
}

function separated(blocks: Block[]): Block[] {
  const apart: Block[] = [];
  for (const block of blocks) {
    const before = apart.at(-1);
    if (before !== undefined && block.x - before.x < GAP) apart.splice(-1, 1, together(before, block));
    else apart.push(block);
  }
  return apart;
}
