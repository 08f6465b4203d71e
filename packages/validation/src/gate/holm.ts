/**
 * P-values adjusted for being several (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
 * Statistics 6, 1979): rejecting every hypothesis whose adjusted p-value is below an error keeps the chance of even one false rejection
 * at that error, however the hypotheses hang together.
 *
 * @param pValues in [0, 1], in any order
 * @returns in the order given, in [0, 1]
 */
export function holm(pValues: readonly number[]): number[] {
  const ascending = pValues.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  ascending.forEach(({ value, index }, rank) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * value));
    adjusted[index] = largest;
  });
  return adjusted;
}
