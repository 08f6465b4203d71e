import { InvalidRequestError, MAX_INSTANCES, type PredictRequest } from '@perennial/contract';
import { isStorableText } from '../instances/column-reader.ts';

const MAX_KEY_LENGTH = 256;

/**
 * Whether a body is a plain predict request, one with instances, as `predictRequestSchema` would find, in a hundredth of its time. It does not say what is wrong: whoever gets false asks the schema,
 * which explains it, or knows a form that this does not.
 */
export function isPlainRequest(body: unknown): body is PredictRequest & { instances: unknown[] } {
  if (typeof body !== 'object' || body === null) return false;
  const { instances, keys } = body as Partial<PredictRequest>;
  if (!Array.isArray(instances) || instances.length === 0 || instances.length > MAX_INSTANCES) return false;
  let fields = 1;
  if (keys !== undefined) {
    fields = 2;
    if (!Array.isArray(keys) || keys.length > MAX_INSTANCES || !keys.every(isKey)) return false;
  }
  return Object.keys(body).length === fields;
}

function isKey(key: unknown): boolean {
  return typeof key === 'string' && key.length > 0 && key.length <= MAX_KEY_LENGTH;
}

/** What holds of a request's parts together. @throws InvalidRequestError */
export function checkRequest({
  instances,
  keys,
}: {
  instances: readonly unknown[];
  keys?: readonly string[] | undefined;
}): void {
  if (instances.length === 0 || instances.length > MAX_INSTANCES) {
    const message = `must hold 1 to ${MAX_INSTANCES} objects, not ${instances.length}`;
    throw new InvalidRequestError(`instances ${message}.`, [{ path: 'instances', message }]);
  }
  if (keys === undefined) return;
  if (keys.length !== instances.length) {
    const message = `must be as many as the ${instances.length} instances, not ${keys.length}`;
    throw new InvalidRequestError(`keys ${message}.`, [{ path: 'keys', message }]);
  }
  const unstorable = keys.findIndex((key) => !isStorableText(key));
  if (unstorable !== -1) {
    const path = `keys[${unstorable}]`;
    const message = 'must be without NUL characters and unpaired surrogates';
    throw new InvalidRequestError(`${path} ${message}.`, [{ path, message }]);
  }
}
