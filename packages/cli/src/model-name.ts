import { nameSchema, versionNumberSchema } from '@perennial/contract';
import { UsageError } from './errors.ts';

/** A model, or one of its versions. */
export interface ModelName {
  model: string;
  version?: number;
}

/** `name` or `name@version`. @throws UsageError */
export function parseModelName(text: string): ModelName {
  const [model = '', version, ...rest] = text.split('@');
  const valid =
    nameSchema.safeParse(model).success &&
    rest.length === 0 &&
    (version === undefined || /^[1-9]\d*$/.test(version));
  if (!valid)
    throw new UsageError(`'${text}' is not a model (flight-delay) or a version of one (flight-delay@3).`);
  return version === undefined ? { model } : { model, version: Number(version) };
}

/** The number of a version, by itself. @throws UsageError */
export function parseVersion(text: string): number {
  const parsed = versionNumberSchema.safeParse(text);
  if (!/^\d+$/.test(text) || !parsed.success)
    throw new UsageError(`'${text}' is not the number of a version (3).`);
  return parsed.data;
}
