/** How well one column alone tells the labels, on rows that it was not fitted on. */

/** Ranks of values, from 1; equal values share the mean of theirs. NaN is not allowed. */
export function midranks(values: Float64Array): Float64Array {
  const order = new Uint32Array(values.length).map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1;
    for (let i = start; i < end; i += 1) ranks[order[i]!] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/** Area under the ROC curve of a score for labels 0 and 1 (Mann and Whitney 1947), in whichever direction is better; null without rows of both. */
export function separation(score: Float64Array, labels: Float64Array): number | null {
  const ranks = midranks(score);
  let positives = 0;
  let rankSum = 0;
  for (let row = 0; row < labels.length; row += 1) {
    if (labels[row] !== 1) continue;
    positives += 1;
    rankSum += ranks[row]!;
  }
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return null;
  const auc = (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
  return Math.max(auc, 1 - auc);
}

/** Spearman's rank correlation in size; null where either side is constant. */
export function rankCorrelation(score: Float64Array, labels: Float64Array): number | null {
  const [a, b] = [midranks(score), midranks(labels)];
  const mean = (labels.length + 1) / 2;
  let [product, spreadA, spreadB] = [0, 0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    const [x, y] = [a[row]! - mean, b[row]! - mean];
    product += x * y;
    spreadA += x * x;
    spreadB += y * y;
  }
  return spreadA === 0 || spreadB === 0 ? null : Math.abs(product / Math.sqrt(spreadA * spreadB));
}

/** For each row after `half` the mean label of the earlier rows of its code; of codes not met before, that of all earlier rows. */
export function meanOfCode(codes: Int32Array, labels: Float64Array, half: number): Float64Array {
  const sums = new Map<number, { sum: number; rows: number }>();
  let total = 0;
  for (let row = 0; row < half; row += 1) {
    const known = sums.get(codes[row]!) ?? { sum: 0, rows: 0 };
    sums.set(codes[row]!, { sum: known.sum + labels[row]!, rows: known.rows + 1 });
    total += labels[row]!;
  }
  const prior = half === 0 ? 0 : total / half;
  return Float64Array.from(codes.subarray(half), (code) => {
    const known = sums.get(code);
    return known === undefined ? prior : known.sum / known.rows;
  });
}

/** Of the rows after `half` the share whose class is the most frequent one of the earlier rows of its code. */
export function shareRight(codes: Int32Array, classes: Int32Array, half: number): number {
  const counts = new Map<number, Map<number, number>>();
  for (let row = 0; row < half; row += 1) {
    const ofCode = counts.get(codes[row]!) ?? new Map<number, number>();
    ofCode.set(classes[row]!, (ofCode.get(classes[row]!) ?? 0) + 1);
    counts.set(codes[row]!, ofCode);
  }
  const decided = new Map([...counts].map(([code, ofCode]) => [code, mostFrequent(ofCode)]));
  let right = 0;
  for (let row = half; row < codes.length; row += 1)
    if (decided.get(codes[row]!) === classes[row]) right += 1;
  return codes.length === half ? 0 : right / (codes.length - half);
}

function mostFrequent(counts: ReadonlyMap<number, number>): number {
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}
