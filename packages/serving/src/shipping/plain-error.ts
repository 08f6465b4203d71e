/** An error as it travels between threads, which keep neither classes nor fields of errors. */
export interface PlainError {
  name: string;
  message: string;
  stack: string | undefined;
  /** Of its own fields those that are plain: codes, ids, numbers. */
  fields: Record<string, string | number | boolean>;
  cause: PlainError | undefined;
}

/** Causes of causes that are kept. */
const DEEPEST = 8;

/** Takes an error apart. */
export function plainError(error: unknown, depth = 0): PlainError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, fields: {}, cause: undefined };
  const { message, stack, cause } = error;
  const { name } = error.constructor;
  const deeper = cause === undefined || depth === DEEPEST ? undefined : plainError(cause, depth + 1);
  return { name, message, stack, fields: plainFields(error), cause: deeper };
}

function plainFields(error: Error): PlainError['fields'] {
  const fields: PlainError['fields'] = {};
  for (const [key, value] of Object.entries(error)) {
    if (key === 'name') continue;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      fields[key] = value;
  }
  return fields;
}

/** Puts an error together again, as one that is logged like the one that was taken apart. */
export function errorFromPlain({ name, message, stack, fields, cause }: PlainError): Error {
  const error = new Error(message, cause && { cause: errorFromPlain(cause) });
  Object.assign(error, fields);
  const hidden = { enumerable: false, writable: true, configurable: true };
  // The log takes the name of the class for the kind of error, and the field where there is no class.
  Object.defineProperty(error, 'constructor', { value: undefined, ...hidden });
  Object.defineProperty(error, 'name', { value: name, ...hidden });
  Object.defineProperty(error, 'stack', { value: stack, ...hidden });
  return error;
}
