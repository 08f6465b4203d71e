import { dirname } from 'node:path';
import { Engine } from '../engine.ts';
import { globEscaped, literals } from '../sql.ts';
import { copyToParquet } from './parquet-copy.ts';

export interface OutputsJoining {
  /** The chunks' files, in the order of their rows. */
  files: readonly string[];
  /** The file to make, in an existing folder that nothing else is in. */
  target: string;
  /** What the made file says of itself. */
  properties: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/** Makes one Parquet file of several, in their order. Streams: memory does not grow with them. */
export async function joinOutputs({ files, target, properties, signal }: OutputsJoining): Promise<void> {
  const engine = await Engine.open({
    threads: 2,
    memoryLimit: '512MB',
    folder: dirname(target),
    readable: [...new Set(files.map((file) => dirname(file)))],
  });
  const stop = () => engine.interrupt();
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    const paths = literals(files.map(globEscaped));
    const query = `SELECT * FROM read_parquet([${paths}], hive_partitioning = false)`;
    await engine.main.run(copyToParquet(query, { target, properties, compression: 'small' }));
  } finally {
    signal.removeEventListener('abort', stop);
    engine.close();
  }
}
