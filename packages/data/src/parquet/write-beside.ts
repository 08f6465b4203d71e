import { open, type FileHandle } from 'node:fs/promises';
import { copyBytes, writeAll } from './copy-bytes.ts';
import type { StoredColumn, StoredColumns, StoredGroup } from './columns-of-file.ts';
import {
  COLUMN,
  COLUMN_METADATA,
  FILE,
  MAGIC,
  ROW_GROUP,
  SCHEMA,
  footerBytes,
  itemsOf,
  movedColumn,
  type Footer,
} from './footer.ts';
import { columnChunk, plainPages, schemaElement, type PlainColumn } from './plain-pages.ts';
import { THRIFT, writeStruct, type ThriftStruct, type ThriftValue } from './thrift-compact.ts';

export interface BesideWriting {
  source: string;
  stored: StoredColumns;
  /** One value for each row of the stored groups. */
  columns: readonly PlainColumn[];
  target: string;
  properties: Readonly<Record<string, string>>;
  signal: AbortSignal;
}

/** Makes a file of columns that another has, copied as they lie there, and new ones beside them. */
export async function writeBeside(writing: BesideWriting): Promise<void> {
  const { stored, columns, properties } = writing;
  const source = await open(writing.source);
  const output = await open(writing.target, 'w');
  try {
    await writeAll(output, MAGIC);
    const groups = new GroupWriter(source, output, writing.signal);
    const rowGroups: Uint8Array[] = [];
    let row = 0;
    for (const group of stored.groups) {
      const to = row + group.rows;
      const own = columns.map(({ name, values }) => ({ name, values: values.subarray(row, to) }));
      rowGroups.push(writeStruct(await groups.write(group, own)));
      row = to;
    }
    await writeAll(
      output,
      footerBytes(footerBeside(stored, columns), { rows: BigInt(row), rowGroups, properties }),
    );
  } finally {
    await output.close();
    await source.close();
  }
}

class GroupWriter {
  readonly #source: FileHandle;
  readonly #output: FileHandle;
  readonly #signal: AbortSignal;
  #position = MAGIC.length;

  constructor(source: FileHandle, output: FileHandle, signal: AbortSignal) {
    this.#source = source;
    this.#output = output;
    this.#signal = signal;
  }

  async write({ rows, columns }: StoredGroup, own: readonly PlainColumn[]): Promise<ThriftStruct> {
    const start = this.#position;
    const items: ThriftStruct[] = [];
    for (const column of columns) items.push(await this.#copy(column));
    for (const column of own) items.push(await this.#add(column));
    return {
      fields: [
        { id: ROW_GROUP.columns, type: THRIFT.list, value: { of: THRIFT.struct, items } },
        { id: ROW_GROUP.bytes, type: THRIFT.i64, value: BigInt(this.#position - start) },
        { id: ROW_GROUP.rows, type: THRIFT.i64, value: BigInt(rows) },
      ],
    };
  }

  async #copy({ metadata, from, bytes }: StoredColumn): Promise<ThriftStruct> {
    const value = movedColumn(metadata, this.#position - from);
    // A bloom filter lies elsewhere and does not come with the pages.
    const kept = value.fields.filter(
      ({ id }) => id !== COLUMN_METADATA.bloomFilter && id !== COLUMN_METADATA.bloomBytes,
    );
    await copyBytes(this.#source, this.#output, { from, to: from + bytes, signal: this.#signal });
    this.#position += bytes;
    return {
      fields: [
        { id: COLUMN.fileOffset, type: THRIFT.i64, value: 0n },
        { id: COLUMN.metadata, type: THRIFT.struct, value: { fields: kept } },
      ],
    };
  }

  async #add(column: PlainColumn): Promise<ThriftStruct> {
    const offset = this.#position;
    for (const page of plainPages(column)) {
      await writeAll(this.#output, page);
      this.#position += page.length;
    }
    return columnChunk(column, { offset, bytes: this.#position - offset });
  }
}

/** The source's footer with the schema of the new file. */
function footerBeside({ footer, elements }: StoredColumns, columns: readonly PlainColumn[]): Footer {
  const { file, bodyEnd } = footer;
  const all = [...elements, ...columns.map(schemaElement)];
  const items = [rootOf(all.length), ...all];
  const orders = itemsOf(file, FILE.columnOrders);
  const fields = file.fields
    .filter(({ id }) => id !== FILE.columnOrders || orders.length > 0)
    .map((field) => {
      if (field.id === FILE.schema) return { ...field, value: listOf(items) };
      // There is one order so far, the type's own.
      if (field.id === FILE.columnOrders)
        return { ...field, value: listOf(all.map(() => orders[0] as ThriftValue)) };
      return field;
    });
  return { file: { fields }, bodyEnd };
}

const listOf = (items: ThriftValue[]) => ({ of: THRIFT.struct, items });

function rootOf(children: number): ThriftStruct {
  return {
    fields: [
      { id: SCHEMA.name, type: THRIFT.binary, value: new TextEncoder().encode('schema') },
      { id: SCHEMA.children, type: THRIFT.i32, value: BigInt(children) },
    ],
  };
}
