/** A file that must be refused. */
export interface HostileFile {
  /** What it is, and what test names say. */
  name: string;
  bytes: () => Uint8Array;
  /** What the reason must say. */
  reason: RegExp;
  /** `looking`: it must be refused before anything loads it. `running`: only a run shows what it is. */
  shownBy: 'looking' | 'running';
}

/** Files that are refused before they are loaded. */
export function atSight(files: Record<string, [bytes: () => Uint8Array, reason: RegExp]>): HostileFile[] {
  return Object.entries(files).map(([name, [bytes, reason]]) => ({
    name,
    bytes,
    reason,
    shownBy: 'looking',
  }));
}
