import { createHash } from 'node:crypto';
import type { FittedFeature } from '@perennial/contract';
import type { GraphBuilder } from './graph-builder.ts';
import { vocabularySize } from './vocabulary.ts';

export type CrossedFeature = Extract<FittedFeature, { kind: 'crossed' }>;

/**
 * Number of indices that a crossed feature gives. Where every combination of the columns' vocabulary indices (missing and out of
 * vocabulary among them) fits in the buckets, each has an index of its own and the size is their number; otherwise it is `buckets`.
 */
export function crossedSize(feature: CrossedFeature): number {
  return Math.min(combinations(feature), feature.buckets);
}

/** Whether combinations are hashed, because there are more of them than buckets. */
export function isHashed(feature: CrossedFeature): boolean {
  return combinations(feature) > feature.buckets;
}

function combinations(feature: CrossedFeature): number {
  return feature.columns.reduce((product, column) => product * vocabularySize(column.vocabulary), 1);
}

/**
 * Writes the nodes that combine one vocabulary index per column (int64 `[rows, 1]`) into the crossed feature's index of the same shape.
 *
 * Exact combinations count in mixed radix, the last column fastest. Hashed ones use simple tabulation hashing (Carter and Wegman,
 * "Universal classes of hash functions", 1979; Pătraşcu and Thorup, "The power of simple tabulation hashing", 2012): each
 * column has a table of random numbers below `buckets`, one per vocabulary index, and a combination's bucket is the sum of its numbers
 * modulo `buckets`. The random numbers come from the entries' text (see {@link bucketShare}), not from their position: when a
 * vocabulary grows from one day to the next, combinations of the old entries stay in their buckets, and with them the weights
 * that a warm start takes over.
 */
export function writeCrossing(graph: GraphBuilder, feature: CrossedFeature, indices: string[]): string {
  return isHashed(feature) ? writeHashed(graph, feature, indices) : writeExact(graph, feature, indices);
}

function writeExact(graph: GraphBuilder, feature: CrossedFeature, indices: string[]): string {
  return indices.reduce((combined, index, i) => {
    const size = graph.scalar(BigInt(vocabularySize(feature.columns[i]?.vocabulary ?? [])));
    return graph.node('Add', [graph.node('Mul', [combined, size]), index]);
  });
}

function writeHashed(graph: GraphBuilder, feature: CrossedFeature, indices: string[]): string {
  const shares = indices.map((index, i) => {
    const table = BigInt64Array.from(bucketShares(feature, i), BigInt);
    return graph.node('Gather', [graph.constant(table, [table.length]), index]);
  });
  const sum = shares.reduce((left, right) => graph.node('Add', [left, right]));
  return graph.node('Mod', [sum, graph.scalar(BigInt(feature.buckets))]);
}

/** The random numbers of one column, by vocabulary index. */
export function bucketShares(feature: CrossedFeature, position: number): number[] {
  const vocabulary = feature.columns[position]?.vocabulary ?? [];
  const keys = ['missing', 'other', ...vocabulary.map((entry) => `entry:${entry}`)];
  return keys.map((key) => bucketShare(`${position}:${key}`, feature.buckets));
}

/** The first 48 bits of the key's sha-256, modulo the buckets: at a million buckets at most 4e-9 off uniform. */
function bucketShare(key: string, buckets: number): number {
  return createHash('sha256').update(key).digest().readUIntBE(0, 6) % buckets;
}
