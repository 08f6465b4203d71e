/**
 * JSON with object keys in code-unit order and no spaces, so that equal values are equal texts: what digests are taken over (RFC 8785). What
 * `JSON.stringify` leaves out is left out here, and `toJSON` is honoured. A value that JSON does not know (NaN, infinities) becomes null, as
 * JavaScript has it; check for it before where it matters.
 */
export function canonicalJson(value: unknown): string {
  return write(value) ?? 'null';
}

/** Written by hand, since an object rebuilt with sorted keys would list integer-like keys first, whatever order they were given in. */
function write(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (hasToJson(value)) return write(value.toJSON());
  if (Array.isArray(value)) return `[${value.map((item) => write(item) ?? 'null').join(',')}]`;
  return writeObject(value as Record<string, unknown>);
}

function writeObject(object: Record<string, unknown>): string {
  const members: string[] = [];
  for (const key of Object.keys(object).sort()) {
    const text = write(object[key]);
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
