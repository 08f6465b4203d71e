import type { Prediction } from '@perennial/contract';

/**
 * A prediction as the journal holds it: JSON on one line, its plain UUID first, so that the day a record belongs to can be read off its
 * beginning without parsing the rest.
 */
export function encodePrediction({ id, ...rest }: Prediction): string {
  return JSON.stringify({ id, ...rest });
}

const ID_START = '{"id":"'.length;
const MILLISECONDS_A_DAY = 86_400_000;

/** The UTC day a record belongs to by the time inside its UUIDv7, in days since 1970. */
export function dayOfRecord(record: string): number {
  const high = record.slice(ID_START, ID_START + 8);
  const low = record.slice(ID_START + 9, ID_START + 13);
  return Math.floor(Number.parseInt(high + low, 16) / MILLISECONDS_A_DAY);
}
