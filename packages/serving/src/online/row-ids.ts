import { MAX_INSTANCES, type IdGenerator } from '@perennial/contract';

/** Hexadecimal digits at an id's end that count the rows of a request: 65,536, of which a request may have 50,000. */
const ROW_DIGITS = 4;
const ROWS = 16 ** ROW_DIGITS;
if (MAX_INSTANCES > ROWS) throw new RangeError(`An id counts no more than ${ROWS} rows.`);

/**
 * The id of a request's first row, from which those of its other rows follow: a UUIDv7 whose last four hexadecimal digits, which are random otherwise, are zero. The generator's counter
 * stands before them, so that ids of different requests never meet.
 */
export function firstRowId(ids: IdGenerator): string {
  return ids.next().slice(0, -ROW_DIGITS) + '0'.repeat(ROW_DIGITS);
}

/** The id of a row, given the first row's, plain or as it stands at the edge: its last four digits are the row's number. */
export function idOfRow(first: string, row: number): string {
  return first.slice(0, -ROW_DIGITS) + row.toString(16).padStart(ROW_DIGITS, '0');
}
