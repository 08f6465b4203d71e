import { open, type FileHandle } from 'node:fs/promises';
import {
  FILE,
  COLUMN,
  COLUMN_METADATA,
  ROW_GROUP,
  SCHEMA,
  fieldOf,
  isMovable,
  isStruct,
  itemsOf,
  readFooter,
  textOf,
  type Footer,
} from './footer.ts';
import type { ThriftStruct, ThriftValue } from './thrift-compact.ts';

/** The pages of a column in a row group, as they lie in their file, and what is said of them. */
export interface StoredColumn {
  metadata: ThriftStruct;
  from: number;
  bytes: number;
}

export interface StoredGroup {
  rows: number;
  columns: StoredColumn[];
}

/** Columns of some row groups of a file. */
export interface StoredColumns {
  footer: Footer;
  /** How the file's schema declares them. */
  elements: ThriftStruct[];
  groups: StoredGroup[];
}

/** Finds columns in the row groups that begin and end with a stretch of rows; undefined where they do not, or the columns are nested or not to be understood. */
export async function columnsOfFile(
  path: string,
  { names, from, rows }: { names: readonly string[]; from: number; rows: number },
): Promise<StoredColumns | undefined> {
  const file = await open(path);
  try {
    return await findColumns(file, { names, from, rows });
  } finally {
    await file.close();
  }
}

async function findColumns(
  file: FileHandle,
  { names, from, rows }: { names: readonly string[]; from: number; rows: number },
): Promise<StoredColumns | undefined> {
  const footer = await readFooter(file);
  if (footer === undefined || !isMovable(footer)) return undefined;
  const groups = groupsWithin(footer, from, from + rows);
  const elements = names.map((name) => flatElement(footer, name));
  const stored = groups?.map((group) => storedGroup(group, names));
  if (stored === undefined || elements.includes(undefined) || stored.includes(undefined)) return undefined;
  return {
    footer,
    elements: elements.filter((element) => element !== undefined),
    groups: stored.filter((group) => group !== undefined),
  };
}

/** The row groups of the rows from `from` to `to`, where they begin and end there. */
function groupsWithin(footer: Footer, from: number, to: number): ThriftStruct[] | undefined {
  const found: ThriftStruct[] = [];
  let start = 0;
  let isWhole = false;
  for (const group of itemsOf(footer.file, FILE.rowGroups).filter(isStruct)) {
    const end = start + numberOf(fieldOf(group, ROW_GROUP.rows));
    if (start === from) isWhole = true;
    if (isWhole && start < to) found.push(group);
    if (start < to && end > to) return undefined;
    start = end;
  }
  return isWhole && start >= to ? found : undefined;
}

/** The declaration of a column that is a child of the root and has no children. */
function flatElement({ file }: Footer, name: string): ThriftStruct | undefined {
  const elements = itemsOf(file, FILE.schema).filter(isStruct);
  const found: ThriftStruct[] = [];
  for (let at = 1; at < elements.length;) {
    const element = elements[at] as ThriftStruct;
    const isLeaf = numberOf(fieldOf(element, SCHEMA.children)) === 0;
    if (isLeaf && textOf(fieldOf(element, SCHEMA.name)) === name) found.push(element);
    at = endOfElement(elements, at);
  }
  return found.length === 1 ? found[0] : undefined;
}

/** Behind an element and all below it. */
function endOfElement(elements: readonly ThriftStruct[], at: number): number {
  let open = 1;
  let next = at;
  for (; open > 0 && next < elements.length; next += 1)
    open += numberOf(fieldOf(elements[next] as ThriftStruct, SCHEMA.children)) - 1;
  return next;
}

function storedGroup(group: ThriftStruct, names: readonly string[]): StoredGroup | undefined {
  const all = itemsOf(group, ROW_GROUP.columns).map((column) => fieldOf(column, COLUMN.metadata));
  const columns = names.map((name) => {
    const metadata = all.find((candidate) => isColumn(candidate, name));
    return isStruct(metadata) ? storedColumn(metadata) : undefined;
  });
  if (columns.includes(undefined)) return undefined;
  const rows = numberOf(fieldOf(group, ROW_GROUP.rows));
  return { rows, columns: columns.filter((column) => column !== undefined) };
}

function isColumn(metadata: ThriftValue | undefined, name: string): boolean {
  if (!isStruct(metadata)) return false;
  const path = itemsOf(metadata, COLUMN_METADATA.path);
  return path.length === 1 && textOf(path[0]) === name;
}

function storedColumn(metadata: ThriftStruct): StoredColumn {
  const data = numberOf(fieldOf(metadata, COLUMN_METADATA.dataPage));
  const dictionary = numberOf(fieldOf(metadata, COLUMN_METADATA.dictionaryPage));
  const from = dictionary > 0 ? Math.min(data, dictionary) : data;
  return { metadata, from, bytes: numberOf(fieldOf(metadata, COLUMN_METADATA.bytes)) };
}

const numberOf = (value: ThriftValue | undefined): number => (typeof value === 'bigint' ? Number(value) : 0);
