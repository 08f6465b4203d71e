import { InvalidRequestError, type Issue } from '@perennial/contract';
import type { z } from 'zod';

/** Most things that one answer complains of. */
const MAX_ISSUES = 20;

export type RequestPart = 'path' | 'query' | 'body';

/**
 * A part of a request, checked against its schema and with defaults filled in.
 * @throws InvalidRequestError naming every value that is wrong and what is allowed there
 */
export function checkPart<Schema extends z.ZodType>(
  part: RequestPart,
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap((issue) => describe(issue, []));
  throw new InvalidRequestError(sentence(part, issues), issues.slice(0, MAX_ISSUES));
}

function sentence(part: RequestPart, [first, ...others]: Issue[]): string {
  const what = first?.path === '' ? `The ${part}` : `The ${part} is not valid: ${first?.path}`;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return `${what} ${first?.message}${more}.`;
}

type Path = readonly PropertyKey[];

/** What zod found wrong, in words that say what to send instead. */
function describe(issue: z.core.$ZodIssue, prefix: Path): Issue[] {
  const path = [...prefix, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: formatPath([...path, key]), message: 'is not known here' }));
    case 'invalid_union':
      return describeUnion(issue, path);
    case 'invalid_type':
      return [{ path: formatPath(path), message: wrongType([issue.expected], issue.input) }];
    case 'invalid_value':
      return [{ path: formatPath(path), message: wrongValue(issue) }];
    case 'too_small':
      return [{ path: formatPath(path), message: size('at least', issue.minimum, issue.origin) }];
    case 'too_big':
      return [{ path: formatPath(path), message: size('at most', issue.maximum, issue.origin) }];
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return [{ path: formatPath(path), message: issue.message }];
  }
}

/** Of a union's members, that which the value is closest to speaks; members of different types speak together. */
function describeUnion({ errors, input, message }: z.core.$ZodIssueInvalidUnion, path: Path): Issue[] {
  const types = errors.map(([first, ...others]) =>
    first?.code === 'invalid_type' && first.path.length === 0 && others.length === 0
      ? first.expected
      : undefined,
  );
  if (errors.length === 0) return [{ path: formatPath(path), message }];
  if (types.every((type) => type !== undefined))
    return [{ path: formatPath(path), message: wrongType([...new Set(types)], input) }];
  const described = errors.map((issues) => issues.flatMap((issue) => describe(issue, path)));
  return described.reduce((closest, next) => (next.length < closest.length ? next : closest));
}

const TYPE_NAMES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function wrongType(expected: readonly string[], input: unknown): string {
  if (input === undefined) return 'is missing';
  const names = expected.map((type) => TYPE_NAMES[type] ?? type);
  const allowed = [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' or ');
  const given = typeof input === 'number' && Number.isNaN(input) ? undefined : typeOf(input);
  return given === undefined || names.includes(given)
    ? `must be ${allowed}`
    : `must be ${allowed}, not ${given}`;
}

function typeOf(input: unknown): string {
  if (input === null) return 'null';
  return TYPE_NAMES[Array.isArray(input) ? 'array' : typeof input] ?? typeof input;
}

function wrongValue({ values, input }: z.core.$ZodIssueInvalidValue): string {
  if (input === undefined) return 'is missing';
  const allowed = values.map(String);
  return allowed.length === 1 ? `must be ${allowed[0]}` : `must be one of ${allowed.join(', ')}`;
}

function size(bound: 'at least' | 'at most', limit: number | bigint, origin: string): string {
  if (origin === 'string')
    return bound === 'at least' && limit === 1
      ? 'must not be empty'
      : `must have ${bound} ${limit} characters`;
  if (origin === 'array')
    return bound === 'at least' && limit === 1 ? 'must not be empty' : `must have ${bound} ${limit} items`;
  return `must be ${bound} ${limit}`;
}

function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
