import { durationMilliseconds, type RetentionRule } from '@perennial/contract';

/** Whether anything may go by this rule. */
export function limits({ maxAge, keepLast }: RetentionRule): boolean {
  return maxAge !== null || keepLast !== null;
}

/** Something that ages, among others of its group (a pipeline's, a model's). */
export interface Aging {
  group: string;
  /** What its age counts from. */
  since: Date;
}

/**
 * Those that the rule no longer keeps: older than `maxAge` and, where `keepLast` is given, not among so many newest of their group. With neither, none. Of two of one
 * instant the later in the list counts as the newer.
 */
export function pastRule<Item>(
  items: readonly Item[],
  rule: RetentionRule,
  { now, aging }: { now: Date; aging: (item: Item) => Aging },
): Item[] {
  if (!limits(rule)) return [];
  const before = rule.maxAge === null ? Infinity : now.getTime() - durationMilliseconds(rule.maxAge);
  const newer = new Map<string, number>();
  const aged = items.map((item, index) => ({ item, index, ...aging(item) }));
  const newestFirst = aged.toSorted((a, b) => b.since.getTime() - a.since.getTime() || b.index - a.index);
  const past = newestFirst.filter(({ group, since }) => {
    const rank = newer.get(group) ?? 0;
    newer.set(group, rank + 1);
    return since.getTime() < before && rank >= (rule.keepLast ?? 0);
  });
  return past.sort((a, b) => a.index - b.index).map(({ item }) => item);
}
