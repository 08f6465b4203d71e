import type { pipelineSpecSchema, Issue } from '@perennial/contract';
import { allowedFields } from './allowed-fields.ts';

type SchemaError = NonNullable<ReturnType<typeof pipelineSpecSchema.safeParse>['error']>;
type SchemaIssue = SchemaError['issues'][number];

/** A schema's complaints in words for the author: where, and what is allowed there. */
export function spokenIssues(error: SchemaError, value: unknown): Issue[] {
  return error.issues.map((issue) => ({
    path: spokenPath(issue.path),
    message: spokenMessage(issue, value),
  }));
}

/** `['data', 'expectations', 0, 'min']` as `data.expectations[0].min`. */
export function spokenPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function spokenMessage(issue: SchemaIssue, value: unknown): string {
  const ofGate = gateMessage(issue);
  if (ofGate !== undefined) return ofGate;
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => `'${key}'`).join(', ');
    return `has no field ${unknown}; its fields are ${fieldsAt(issue.path, value).join(', ')}`;
  }
  if (issue.code === 'invalid_union') return unionMessage(issue);
  if (issue.code === 'invalid_key')
    return issue.issues.map(({ message }) => `the name ${message}`).join(' and ');
  if (issue.code === 'invalid_value') return `must be one of ${listed(issue.values)}`;
  if (issue.code === 'invalid_type' && at(value, issue.path) === undefined) {
    return `is missing; it must be of type ${issue.expected}`;
  }
  return issue.message;
}

/** An author writes one list of rules, in which comparisons and limits are told apart by their kind; and beside it what the gate does where it cannot tell. */
function gateMessage({ code, path }: SchemaIssue): string | undefined {
  const where = spokenPath(path);
  if (code === 'too_small' && where === 'validate.gate.comparisons')
    return 'must have a comparison with the champion, such as notWorse({ metric, margin })';
  if (code === 'invalid_value' && /^validate\.gate\.comparisons\[\d+\]\.kind$/.test(where))
    return `must be one of 'notWorse', 'atLeast', 'atMost'`;
  return undefined;
}

function fieldsAt(path: readonly PropertyKey[], value: unknown): string[] {
  const fields = allowedFields(value, path);
  return spokenPath(path) === 'validate' ? [...fields, 'inconclusive'] : fields;
}

function unionMessage(issue: Extract<SchemaIssue, { code: 'invalid_union' }>): string {
  if ('options' in issue && Array.isArray(issue.options)) return `must be one of ${listed(issue.options)}`;
  return [...new Set(issue.errors.flat().map(({ message }) => message))].join(', or ');
}

function listed(values: readonly unknown[]): string {
  return values.map((one) => `'${String(one)}'`).join(', ');
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((here, key) => (here as Record<PropertyKey, unknown> | null)?.[key], value);
}
