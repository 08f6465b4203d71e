import { ModelRefusedError } from '../errors.ts';
import type { Budget } from './budget.ts';
import { checkName } from './names.ts';
import {
  BYTES,
  FIXED32,
  FIXED64,
  VARINT,
  WireReader,
  malformed,
  type Span,
  type Wire,
} from './wire-reader.ts';

/** A field of a message: how its value is written, and whether it may occur more than once. */
export interface Field {
  name: string;
  wire: Wire;
  repeated: boolean;
}

/** The fields of a message by number; those that are not named are skipped. */
export type Fields = ReadonlyMap<number, Field>;

const WIRES = { varint: VARINT, fixed64: FIXED64, bytes: BYTES, fixed32: FIXED32 } as const;

/** Describes fields as `{ 1: 'name bytes', 2: 'input bytes*' }`; a star stands for repeated. */
export function fields(described: Record<number, `${string} ${keyof typeof WIRES}${'' | '*'}`>): Fields {
  return new Map(
    Object.entries(described).map(([number, text]) => {
      const [name = '', wire = 'bytes'] = text.replace('*', '').split(' ') as [
        string?,
        (keyof typeof WIRES)?,
      ];
      const repeated = text.endsWith('*');
      return [Number(number), { name, wire: WIRES[wire], repeated }];
    }),
  );
}

export interface Source {
  bytes: Uint8Array;
  budget: Budget;
}

/**
 * Walks over a message's fields. A field that may occur once and occurs twice is an error: one parser takes the last, another joins them, and what was checked would not be
 * what is run.
 *
 * @param visit reads the value of a known field, which else is skipped
 */
export function readMessage(
  { source, span, what }: { source: Source; span: Span; what: Fields },
  visit: (field: string, reader: WireReader) => boolean,
): void {
  source.budget.take('messages');
  const reader = new WireReader(source.bytes, span);
  const seen = new Set<number>();
  while (reader.next()) {
    const field = what.get(reader.field);
    if (field === undefined) {
      reader.skip();
      continue;
    }
    const packed = field.repeated && reader.wire === BYTES && field.wire !== BYTES;
    if (reader.wire !== field.wire && !packed) throw malformed(`${field.name} is of the wrong type`);
    if (!field.repeated && seen.has(reader.field)) throw malformed(`it says ${field.name} twice`);
    seen.add(reader.field);
    if (!visit(field.name, reader)) reader.skip();
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A name: checked, and counted. */
export function readName(reader: WireReader, source: Source, what: string): string {
  const span = reader.span();
  const bytes = span.end - span.start;
  const { limits } = source.budget;
  if (bytes > limits.nameBytes)
    throw new ModelRefusedError(
      `the name of its ${what} has ${bytes} bytes; at most ${limits.nameBytes} are taken`,
    );
  source.budget.take('namesBytes', bytes);
  const name = textOf(source, span, what);
  checkName(name, what);
  return name;
}

/** @throws ModelRefusedError where it is not UTF-8 */
export function textOf(source: Source, { start, end }: Span, what: string): string {
  try {
    return UTF8.decode(source.bytes.subarray(start, end));
  } catch (cause) {
    throw new ModelRefusedError(`its ${what} is not text (UTF-8)`, { cause });
  }
}
