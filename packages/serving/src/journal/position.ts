/** A place in the journal: a segment's sequence number and a byte offset in it, always between two frames. */
export interface Position {
  segment: number;
  offset: number;
}

/** Negative when `a` comes before `b`, 0 when they are the same, positive otherwise. */
export function comparePositions(a: Position, b: Position): number {
  return a.segment - b.segment || a.offset - b.offset;
}
