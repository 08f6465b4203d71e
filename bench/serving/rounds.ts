/** The middle one; of an even number the upper of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Measures things in turn, so that what slows the machine down slows each of them. */
export async function alternate<Name extends string>(
  rounds: number,
  measured: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measured) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await measured[name]());
  }
  return results;
}

export const perSecond = (value: number) => `${Math.round(value).toLocaleString('en-US')}/s`;
export const ratio = (value: number) => `${value.toFixed(2)}×`;
export const milliseconds = (value: number) => `${value.toFixed(2)} ms`;

/** A figure against what it must be. */
export function verdict(
  what: string,
  found: number,
  { atLeast, atMost }: { atLeast?: number; atMost?: number },
): void {
  const met = (atLeast === undefined || found >= atLeast) && (atMost === undefined || found <= atMost);
  const limit = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  console.log(`${met ? 'met   ' : 'MISSED'} ${what}: ${found.toFixed(2)} (${limit})`);
}
