import { dirname } from 'node:path';
import { Engine } from '../engine.ts';
import { WorkFolderFullError } from '../errors.ts';
import { appendRowGroups } from '../parquet/append-row-groups.ts';
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

/** What a chunk's file says of itself, of which the joined file says its own. */
const isOurs = (key: string): boolean => key.startsWith('perennial.');

/** Makes one Parquet file of several, in their order: their row groups as they are, or packed anew where that cannot be. Streams: memory does not grow with them. */
export async function joinOutputs(joining: OutputsJoining): Promise<void> {
  try {
    if (await appendRowGroups({ ...joining, isDropped: isOurs })) return;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
      throw new WorkFolderFullError({ cause: error });
    throw error;
  }
  await packAnew(joining);
}

async function packAnew({ files, target, properties, signal }: OutputsJoining): Promise<void> {
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
