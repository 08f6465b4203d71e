import { DAY_MILLISECONDS, type Prediction } from '@perennial/contract';

/**
 * A prediction as the journal holds it: JSON on one line, its plain UUID first, so that the day a record belongs to can be read off its
 * beginning without parsing the rest.
 *
 * Put together by hand, in half the time of one `JSON.stringify` of the whole; ids, names, modes and instants are of forms that need no
 * escaping.
 */
export function encodePrediction(prediction: Prediction): string {
  const { id, model, version, endpoint, key, features, output, mode, latencyMicroseconds, at } = prediction;
  return (
    `{"id":"${id}","model":"${model}","version":${version},"endpoint":"${endpoint}",` +
    `"key":${key === null ? 'null' : JSON.stringify(key)},"features":${JSON.stringify(features)},` +
    `"output":${JSON.stringify(output)},"mode":"${mode}","latencyMicroseconds":${latencyMicroseconds},"at":"${at}"}`
  );
}

const ID_START = '{"id":"'.length;

/** The UTC day a record belongs to by the time inside its UUIDv7, in days since 1970. */
export function dayOfRecord(record: string): number {
  const high = record.slice(ID_START, ID_START + 8);
  const low = record.slice(ID_START + 9, ID_START + 13);
  return Math.floor(Number.parseInt(high + low, 16) / DAY_MILLISECONDS);
}
