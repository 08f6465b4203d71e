import type { FileHandle } from 'node:fs/promises';
import {
  THRIFT,
  readStruct,
  writeStruct,
  type ThriftField,
  type ThriftList,
  type ThriftStruct,
  type ThriftValue,
} from './thrift-compact.ts';

/** What a Parquet file begins and ends with. */
export const MAGIC = new TextEncoder().encode('PAR1');

/** The length of the footer, then {@link MAGIC}. */
const TAIL_BYTES = 8;

/** Ids of `FileMetaData` and what it is made of. Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
export const FILE = { schema: 2, rows: 3, rowGroups: 4, properties: 5, columnOrders: 7, encryption: 8 };
export const ROW_GROUP = { columns: 1, bytes: 2, rows: 3, fileOffset: 5, ordinal: 7 };
export const COLUMN = { filePath: 1, fileOffset: 2, metadata: 3, offsetIndex: 4, columnIndex: 6 };
export const COLUMN_METADATA = {
  ...{ path: 3, bytes: 7, dataPage: 9, indexPage: 10, dictionaryPage: 11 },
  ...{ bloomFilter: 14, bloomBytes: 15 },
};
export const SCHEMA = { name: 4, children: 5 };

/** Ids of what are places in the file. */
const COLUMN_PLACES = [
  COLUMN_METADATA.dataPage,
  COLUMN_METADATA.indexPage,
  COLUMN_METADATA.dictionaryPage,
  COLUMN_METADATA.bloomFilter,
];
const PROPERTY = { key: 1, value: 2 };

/** What a Parquet file says of itself at its end. */
export interface Footer {
  file: ThriftStruct;
  /** Where the row groups, and all that belongs to them, end in the file. */
  bodyEnd: number;
}

/** The footer of a file; undefined where it is none that is understood. */
export async function readFooter(file: FileHandle): Promise<Footer | undefined> {
  const { size } = await file.stat();
  if (size < MAGIC.length + TAIL_BYTES) return undefined;
  const tail = await readAt(file, size - TAIL_BYTES, TAIL_BYTES);
  if (!tail.subarray(4).equals(MAGIC)) return undefined;
  const length = tail.readUInt32LE(0);
  const bodyEnd = size - TAIL_BYTES - length;
  if (bodyEnd < MAGIC.length) return undefined;
  try {
    return { file: readStruct(await readAt(file, bodyEnd, length)), bodyEnd };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Keys of what a file says of itself beside its rows. */
export function propertyKeys({ file }: Footer): string[] {
  return itemsOf(file, FILE.properties).map((item) => textOf(fieldOf(item, PROPERTY.key)));
}

/** What must be the same in files whose row groups come into one. */
export function shapeOf({ file }: Footer): Uint8Array {
  const kept = [FILE.schema, FILE.columnOrders];
  return writeStruct({ fields: file.fields.filter(({ id }) => kept.includes(id)) });
}

/** Whether row groups can be moved: their columns lie in the file itself and are not encrypted. */
export function isMovable({ file }: Footer): boolean {
  if (file.fields.some(({ id }) => id === FILE.encryption)) return false;
  const columns = rowGroupsOf(file).flatMap((group) => itemsOf(group, ROW_GROUP.columns));
  return columns.every((column) => {
    const metadata = fieldOf(column, COLUMN.metadata);
    return isStruct(metadata) && fieldOf(column, COLUMN.filePath) === undefined;
  });
}

/** The row groups as they are written into a footer, so many bytes further on than they are now. */
export function movedRowGroups({ file }: Footer, by: number): Uint8Array[] {
  return rowGroupsOf(file).map((group) => {
    for (const column of itemsOf(group, ROW_GROUP.columns)) {
      move(column, [COLUMN.fileOffset, COLUMN.offsetIndex, COLUMN.columnIndex], by);
      move(fieldOf(column, COLUMN.metadata), COLUMN_PLACES, by);
    }
    move(group, [ROW_GROUP.fileOffset], by);
    // Their place among the groups of the file that they came from.
    return writeStruct({ fields: group.fields.filter(({ id }) => id !== ROW_GROUP.ordinal) });
  });
}

export function groupCount({ file }: Footer): number {
  return rowGroupsOf(file).length;
}

export function rowsOf({ file }: Footer): bigint {
  const rows = fieldOf(file, FILE.rows);
  return typeof rows === 'bigint' ? rows : 0n;
}

/** The end of a file: a footer like this one with other contents, its length and {@link MAGIC}. */
export function footerBytes(
  { file }: Footer,
  contents: { rows: bigint; rowGroups: readonly Uint8Array[]; properties: Readonly<Record<string, string>> },
): Buffer {
  const { rows, rowGroups, properties } = contents;
  const said = Object.entries(properties).map(([key, value]) => ({
    fields: [textField(PROPERTY.key, key), textField(PROPERTY.value, value)],
  }));
  const replaced: ThriftField[] = [
    { id: FILE.rows, type: THRIFT.i64, value: rows },
    { id: FILE.rowGroups, type: THRIFT.list, value: { of: THRIFT.struct, items: [...rowGroups] } },
  ];
  if (said.length > 0)
    replaced.push({ id: FILE.properties, type: THRIFT.list, value: { of: THRIFT.struct, items: said } });
  const ids = [FILE.rows, FILE.rowGroups, FILE.properties];
  const kept = file.fields.filter(({ id }) => !ids.includes(id));
  const footer = writeStruct({ fields: [...kept, ...replaced].toSorted((a, b) => a.id - b.id) });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([footer, length, MAGIC]);
}

function textField(id: number, text: string): ThriftField {
  return { id, type: THRIFT.binary, value: new TextEncoder().encode(text) };
}

/** What is said of a column whose pages lie so many bytes further on. */
export function movedColumn({ fields }: ThriftStruct, by: number): ThriftStruct {
  const copy = { fields: fields.map((field) => ({ ...field })) };
  move(copy, COLUMN_PLACES, by);
  return copy;
}

/** Positions of 0 stand for none. */
function move(value: ThriftValue | undefined, ids: readonly number[], by: number): void {
  if (!isStruct(value)) return;
  for (const field of value.fields)
    if (ids.includes(field.id) && typeof field.value === 'bigint' && field.value > 0n)
      field.value += BigInt(by);
}

function rowGroupsOf(file: ThriftStruct): ThriftStruct[] {
  return itemsOf(file, FILE.rowGroups).filter(isStruct);
}

export function itemsOf(struct: ThriftValue, id: number): ThriftValue[] {
  const list = fieldOf(struct, id);
  return isList(list) ? list.items : [];
}

export function fieldOf(struct: ThriftValue, id: number): ThriftValue | undefined {
  return isStruct(struct) ? struct.fields.find((field) => field.id === id)?.value : undefined;
}

export const isStruct = (value: ThriftValue | undefined): value is ThriftStruct =>
  typeof value === 'object' && 'fields' in value;

const isList = (value: ThriftValue | undefined): value is ThriftList =>
  typeof value === 'object' && 'items' in value;

export function textOf(value: ThriftValue | undefined): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : '';
}
