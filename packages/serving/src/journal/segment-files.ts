import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The name says the version of the encoding inside, so that a later one can be told apart before a byte is read. */
const SEGMENT_NAME = /^(\d{12})\.journal-v1$/;

export interface SegmentFile {
  sequence: number;
  path: string;
  bytes: number;
}

/** Where a segment is kept. Sequence numbers are zero-padded, so that names sort as numbers do. */
export function segmentPath(folder: string, sequence: number): string {
  return join(folder, `${String(sequence).padStart(12, '0')}.journal-v1`);
}

/** The journal's segments, oldest first. */
export async function listSegments(folder: string): Promise<SegmentFile[]> {
  const segments: SegmentFile[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const match = SEGMENT_NAME.exec(name);
    if (match === null) continue;
    const path = join(folder, name);
    segments.push({ sequence: Number(match[1]), path, bytes: (await stat(path)).size });
  }
  return segments;
}
