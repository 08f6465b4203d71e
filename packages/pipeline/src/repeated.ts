import type { Issue } from '@perennial/contract';

/** An issue when one of the values stands there twice. */
export function repeated(values: readonly string[], path: string): Issue[] {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  return twice === undefined ? [] : [{ path, message: `names '${twice}' twice` }];
}
