import { nextTurn } from '../waiting/next-turn.ts';

/** Columns of `predictions` in the order in which the lines have them. */
export const COPIED_COLUMNS =
  'id, model, version, endpoint, key, features, output, mode, latency_microseconds, at';

/** Records that are made into lines between two looks at the event loop: about half a millisecond. */
const RECORDS_A_TURN = 256;

/** A record is not of the form that `encodePrediction` gives it; it may still be one that the database can read. */
export class UnfamiliarRecordError extends Error {
  constructor() {
    super('A record is not of the form that it is written in.');
    this.name = 'UnfamiliarRecordError';
  }
}

/**
 * Records as lines of PostgreSQL's text format of `copy`, in chunks.
 * @throws UnfamiliarRecordError
 */
export async function* copyLines(records: readonly string[]): AsyncGenerator<Buffer> {
  for (let start = 0; start < records.length; start += RECORDS_A_TURN) {
    if (start > 0) await nextTurn();
    let text = '';
    const end = Math.min(start + RECORDS_A_TURN, records.length);
    for (let at = start; at < end; at++) text += copyLine(records[at] ?? '');
    yield Buffer.from(text);
  }
}

/**
 * A record cut at the names of its fields, without reading what is between them: JSON never has a bare quote inside a text, so what precedes the features
 * can only be found there, and what follows the output is the last of its name.
 */
function copyLine(record: string): string {
  const head = HEAD.exec(record);
  const at = record.lastIndexOf(',"at":"');
  const latency = record.lastIndexOf(',"latencyMicroseconds":', at);
  const mode = record.lastIndexOf(',"mode":"', latency);
  const output = record.lastIndexOf(',"output":{', mode);
  const features = head === null ? -1 : record.indexOf(',"features":{', head[0].length - 1);
  if (head === null || features === -1 || output < features) throw new UnfamiliarRecordError();
  const [, id, model, version, endpoint] = head;
  const key = record.slice(head[0].length, features);
  const fields = [
    key === 'null' ? '\\N' : escapeText(JSON.parse(key) as string),
    escapeSlashes(record.slice(features + FEATURES, output)),
    escapeSlashes(record.slice(output + OUTPUT, mode)),
    record.slice(mode + MODE, latency - 1),
    record.slice(latency + LATENCY, at),
    record.slice(at + AT, -2),
  ];
  return `${id}\t${model}\t${version}\t${endpoint}\t${fields.join('\t')}\n`;
}

const HEAD = /^\{"id":"([^"]*)","model":"([^"]*)","version":(\d+),"endpoint":"([^"]*)","key":/;
const FEATURES = ',"features":'.length;
const OUTPUT = ',"output":'.length;
const MODE = ',"mode":"'.length;
const LATENCY = ',"latencyMicroseconds":'.length;
const AT = ',"at":"'.length;

/** JSON has its control characters escaped already. */
function escapeSlashes(json: string): string {
  return json.includes('\\') ? json.replaceAll('\\', '\\\\') : json;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escapeText(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

/** `2001-03-04T05:06:07.000Z` */
const INSTANT_LENGTH = 24;

/**
 * When a record says that it was made, as text.
 * @throws UnfamiliarRecordError
 */
export function instantOfRecord(record: string): string {
  const at = record.lastIndexOf(',"at":"');
  const instant = record.slice(at + AT, -2);
  if (at === -1 || instant.length !== INSTANT_LENGTH) throw new UnfamiliarRecordError();
  return instant;
}
