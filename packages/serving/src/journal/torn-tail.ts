import { open } from 'node:fs/promises';
import { walkFrames } from './frame.ts';
import type { SegmentFile } from './segment-files.ts';

/**
 * Cuts off what a crash left of the last frame of a segment, and answers how many bytes that were. Damage with whole frames behind it is
 * left in place: the reader steps over it and counts it.
 */
export async function cutTornTail(segment: SegmentFile): Promise<number> {
  const handle = await open(segment.path, 'r+');
  try {
    const bytes = await handle.readFile();
    let end = 0;
    for (const stretch of walkFrames(bytes, true)) end = stretch.end;
    if (end < bytes.length) {
      await handle.truncate(end);
      await handle.datasync();
    }
    return bytes.length - end;
  } finally {
    await handle.close();
  }
}
