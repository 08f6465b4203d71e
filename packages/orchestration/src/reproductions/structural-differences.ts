import type { ReproductionDifference } from '@perennial/contract';

/** Values longer than this are cut: an entry is read by a person. */
const MAX_TEXT_LENGTH = 200;

/**
 * Where two JSON values differ, by path. Objects are compared key by key, lists of named things (features, columns, files) name by name. Of any other list only its
 * length and the first differing element are told, since one value more moves all that follow.
 */
export function structuralDifferences(
  recorded: unknown,
  found: unknown,
  what: string,
): ReproductionDifference[] {
  if (isRecord(recorded) && isRecord(found)) return recordDifferences(recorded, found, what);
  if (!Array.isArray(recorded) || !Array.isArray(found)) {
    return Object.is(recorded, found)
      ? []
      : [{ what, recorded: spokenValue(recorded), found: spokenValue(found) }];
  }
  const named = { recorded: byName(recorded), found: byName(found) };
  return named.recorded !== undefined && named.found !== undefined
    ? recordDifferences(named.recorded, named.found, what)
    : listDifferences(recorded, found, what);
}

function recordDifferences(
  recorded: Record<string, unknown>,
  found: Record<string, unknown>,
  what: string,
): ReproductionDifference[] {
  const keys = new Set([...Object.keys(recorded), ...Object.keys(found)]);
  return [...keys].flatMap((key) => structuralDifferences(recorded[key], found[key], `${what}.${key}`));
}

function listDifferences(recorded: unknown[], found: unknown[], what: string): ReproductionDifference[] {
  const lengths = structuralDifferences(recorded.length, found.length, `${what}.length`);
  const both = Array.from({ length: Math.min(recorded.length, found.length) }, (_, at) => at);
  for (const at of both) {
    const differences = structuralDifferences(recorded[at], found[at], `${what}[${at}]`);
    if (differences.length > 0) return [...lengths, ...differences];
  }
  return lengths;
}

/** A list whose every element has a name of its own, as a record; undefined of any other. */
function byName(list: readonly unknown[]): Record<string, unknown> | undefined {
  const entries = list.map((item) => [isRecord(item) ? item['name'] : undefined, item] as const);
  const names = new Set(entries.map(([name]) => name));
  const all = names.size === list.length && [...names].every((name) => typeof name === 'string');
  return all ? (Object.fromEntries(entries) as Record<string, unknown>) : undefined;
}

/** As it stands in a difference; what is only on one side is `absent` on the other. */
export function spokenValue(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
