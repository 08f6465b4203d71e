import { ArtifactInvalidError } from './errors.ts';

/** The JSON under a key of a file's metadata. @throws ArtifactInvalidError where there is none. */
export function parseMetadata(metadata: ReadonlyMap<string, string>, key: string): unknown {
  const text = metadata.get(key);
  if (text === undefined) throw new ArtifactInvalidError(`its metadata lacks '${key}'`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ArtifactInvalidError(`its metadata '${key}' is not JSON`, { cause });
  }
}

/** A value as it comes back from JSON, which has no negative zero: graph and metadata are written from the same numbers. */
export function asJson<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
