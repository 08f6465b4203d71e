/** A server that others use for what Perennial's prediction route does, as its own documentation sets it up for speed. */
export interface Peer {
  name: string;
  /** What pip installs. */
  packages: string[];
  /** Made once before it is started; the model's path and a scratch folder are given. */
  prepare?: (place: Place) => { program: string; args: string[] } | undefined;
  start: (place: Place) => { program: string; args: string[]; env?: Record<string, string> };
  path: string;
  body: (row: readonly number[]) => string;
}

export interface Place {
  /** The ONNX file. */
  model: string;
  port: number;
  /** Scratch folder of the peer's own. */
  folder: string;
}

export const COLUMNS = Array.from({ length: 20 }, (_, i) => `x${String(i).padStart(2, '0')}`);

/** The row as our prediction request, which FastAPI, Starlette and LitServe take as well. */
export function instanceBody(row: readonly number[]): string {
  const instance = Object.fromEntries(COLUMNS.map((name, i) => [name, row[i]]));
  return JSON.stringify({ instances: [instance] });
}
