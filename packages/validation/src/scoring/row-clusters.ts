import type { NotWorseSpec } from '@perennial/contract';

export type ClusterKind = NonNullable<NotWorseSpec['cluster']>;

/** By kind the cluster of each row, numbered from 0. */
export type RowClusters = Partial<Record<ClusterKind, Int32Array>>;

const MILLISECONDS_OF_A_DAY = 86_400_000;

/** Numbers the rows' entities or days, in the order they are first met. Only what is asked for is kept: keys of a million rows weigh 50 MB. */
export class ClusterNumbers {
  readonly #kinds: { kind: ClusterKind; numbers: Map<string | number, number>; clusters: Int32Array }[];
  #filled = 0;

  /** @param rows of the split */
  constructor(kinds: Iterable<ClusterKind>, rows: number) {
    this.#kinds = [...new Set(kinds)].map((kind) => ({
      kind,
      numbers: new Map<string | number, number>(),
      clusters: new Int32Array(rows),
    }));
  }

  /** Takes the next rows: milliseconds since 1970, and the keys where the pipeline has one. */
  add({ times, keys }: { times: BigInt64Array; keys: string[] | null }): void {
    for (const { kind, numbers, clusters } of this.#kinds) {
      for (let row = 0; row < times.length; row++) {
        const name =
          kind === 'day' ? Math.floor(Number(times[row]!) / MILLISECONDS_OF_A_DAY) : (keys?.[row] ?? '');
        let number = numbers.get(name);
        if (number === undefined) numbers.set(name, (number = numbers.size));
        clusters[this.#filled + row] = number;
      }
    }
    this.#filled += times.length;
  }

  finish(): RowClusters {
    return Object.fromEntries(this.#kinds.map(({ kind, clusters }) => [kind, clusters]));
  }
}

/** The clusters of some of the rows, numbered anew from 0 without gaps. */
export function selectClusters(clusters: Int32Array, selected: Uint32Array): Int32Array {
  const numbers = new Map<number, number>();
  const kept = new Int32Array(selected.length);
  for (let i = 0; i < selected.length; i++) {
    const cluster = clusters[selected[i]!]!;
    let number = numbers.get(cluster);
    if (number === undefined) numbers.set(cluster, (number = numbers.size));
    kept[i] = number;
  }
  return kept;
}
