import type { Issue } from '@perennial/contract';

/**
 * An issue of the normal form, with the path that the author wrote: the gate is one list there (or a single rule), and slices may be a list of columns.
 *
 * @param input what the author wrote, whatever it is
 */
export function asWritten(issue: Issue, input: unknown): Issue {
  return { ...issue, path: writtenPath(issue.path, field(input, 'validate')) };
}

function writtenPath(path: string, validate: unknown): string {
  const rule = /^validate\.gate\.(comparisons|limits)(?:\[(\d+)\])?(.*)$/.exec(path);
  if (rule) {
    const [, kind, index, rest] = rule;
    return `validate.gate${place(field(validate, 'gate'), { kind, index })}${rest}`;
  }
  if (path === 'validate.gate.inconclusive') return 'validate.inconclusive';
  return Array.isArray(field(validate, 'slices'))
    ? path.replace(/^validate\.slices\.columns/, 'validate.slices')
    : path;
}

/** Where among the author's rules the comparison or limit of this number stands. */
function place(
  gate: unknown,
  { kind, index }: { kind: string | undefined; index: string | undefined },
): string {
  if (!Array.isArray(gate) || index === undefined) return '';
  const places = [...gate.keys()].filter((at) => isLimit(gate[at]) === (kind === 'limits'));
  return `[${places[Number(index)]}]`;
}

/** Whether a rule of a gate is a floor or a ceiling; anything else is held for a comparison. */
export function isLimit(rule: unknown): boolean {
  const kind = field(rule, 'kind');
  return kind === 'atLeast' || kind === 'atMost';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
