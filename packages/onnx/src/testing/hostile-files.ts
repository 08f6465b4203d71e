import { hostileBorders } from './hostile/borders.ts';
import { hostileFormats } from './hostile/formats.ts';
import { hostileGraphs } from './hostile/graphs.ts';
import { hostileNames } from './hostile/names.ts';
import { hostileRuns } from './hostile/runs.ts';
import { hostileTensors } from './hostile/tensors.ts';
import { hostileWire } from './hostile/wire.ts';
import type { HostileFile } from './hostile/hostile-file.ts';

export type { HostileFile } from './hostile/hostile-file.ts';
export { GOOD_OUTPUT, GOOD_SAMPLE, goodFile } from './hostile/good-file.ts';

/**
 * Files that must be refused, with what the reason says: other formats, tensors outside, impossible or gigantic ones, graphs that are none, names that mislead, damaged bytes;
 * and those that look sound and show what they are when they run.
 */
export function hostileFiles(): HostileFile[] {
  return [
    ...hostileFormats(),
    ...hostileWire(),
    ...hostileTensors(),
    ...hostileGraphs(),
    ...hostileBorders(),
    ...hostileNames(),
    ...hostileRuns(),
  ];
}
