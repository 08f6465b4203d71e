import { open, type FileHandle } from 'node:fs/promises';
import { copyBytes, writeAll } from './copy-bytes.ts';
import {
  MAGIC,
  footerBytes,
  isMovable,
  groupCount,
  movedRowGroups,
  propertyKeys,
  readFooter,
  rowsOf,
  shapeOf,
  type Footer,
} from './footer.ts';

export interface RowGroupsAppending {
  /** Parquet files, in the order of their rows. */
  files: readonly string[];
  target: string;
  /** What the made file says of itself. */
  properties: Readonly<Record<string, string>>;
  /** Whether what a file says of itself under this key may be left out. */
  isDropped: (key: string) => boolean;
  signal: AbortSignal;
}

/** Smaller row groups are better packed anew: many of them make a file slow to read. */
const LEAST_ROWS = 30_720n;

/**
 * Makes one Parquet file of several by copying their row groups as they are: nothing is unpacked or packed again, which took a quarter of the time of scoring a batch. Memory does not grow
 * with the files.
 *
 * @returns false, and makes nothing, where the files are not alike, their row groups are small, or they hold what is not understood
 */
export async function appendRowGroups(appending: RowGroupsAppending): Promise<boolean> {
  const { files, target, properties, signal } = appending;
  const first = await sharedFooter(appending);
  if (first === undefined) return false;
  const output = await open(target, 'w');
  try {
    await output.write(MAGIC);
    let position = MAGIC.length;
    let rows = 0n;
    const rowGroups: Uint8Array[] = [];
    for (const file of files) {
      const added = await addFile(file, { output, position, signal });
      position += added.bytes;
      rows += added.rows;
      for (const group of added.rowGroups) rowGroups.push(group);
    }
    await writeAll(output, footerBytes(first, { rows, rowGroups, properties }));
  } finally {
    await output.close();
  }
  return true;
}

/** The first file's footer, where the others' are alike. */
async function sharedFooter({ files, isDropped }: RowGroupsAppending): Promise<Footer | undefined> {
  let first: Footer | undefined;
  let shape: Uint8Array | undefined;
  let [rows, groups] = [0n, 0n];
  for (const path of files) {
    const footer = await footerOf(path);
    if (footer === undefined || !isMovable(footer) || !propertyKeys(footer).every(isDropped))
      return undefined;
    first ??= footer;
    shape ??= shapeOf(footer);
    if (Buffer.compare(shape, shapeOf(footer)) !== 0) return undefined;
    rows += rowsOf(footer);
    groups += BigInt(groupCount(footer));
  }
  return groups === 1n || rows >= groups * LEAST_ROWS ? first : undefined;
}

async function footerOf(path: string): Promise<Footer | undefined> {
  const file = await open(path);
  try {
    return await readFooter(file);
  } finally {
    await file.close();
  }
}

async function addFile(
  path: string,
  { output, position, signal }: { output: FileHandle; position: number; signal: AbortSignal },
): Promise<{ bytes: number; rows: bigint; rowGroups: Uint8Array[] }> {
  const file = await open(path);
  try {
    const footer = await readFooter(file);
    if (footer === undefined) throw new RangeError(`'${path}' has changed`);
    await copyBytes(file, output, { from: MAGIC.length, to: footer.bodyEnd, signal });
    const rowGroups = movedRowGroups(footer, position - MAGIC.length);
    return { bytes: footer.bodyEnd - MAGIC.length, rows: rowsOf(footer), rowGroups };
  } finally {
    await file.close();
  }
}
