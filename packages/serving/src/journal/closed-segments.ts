import { rm } from 'node:fs/promises';
import type { SegmentFile } from './segment-files.ts';

/** The segments that are written no more and wait to be shipped and deleted. */
export class ClosedSegments {
  readonly #segments = new Map<number, SegmentFile>();
  #bytes = 0;

  constructor(segments: readonly SegmentFile[]) {
    for (const segment of segments) this.add(segment);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The lowest sequence number; undefined when there is none. They are added in their order, and a Map keeps it. */
  get oldest(): number | undefined {
    for (const sequence of this.#segments.keys()) return sequence;
    return undefined;
  }

  /** Bytes of the segments from a sequence number on. */
  bytesFrom(sequence: number): number {
    let bytes = 0;
    for (const segment of this.#segments.values()) if (segment.sequence >= sequence) bytes += segment.bytes;
    return bytes;
  }

  add(segment: SegmentFile): void {
    this.#segments.set(segment.sequence, segment);
    this.#bytes += segment.bytes;
  }

  /** Deletes the files of every segment with a lower sequence number. */
  async deleteBefore(sequence: number): Promise<void> {
    for (const segment of [...this.#segments.values()]) {
      if (segment.sequence >= sequence) return;
      await rm(segment.path, { force: true });
      this.#segments.delete(segment.sequence);
      this.#bytes -= segment.bytes;
    }
  }
}
