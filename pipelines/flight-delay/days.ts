/** First day whose window the data cover: 14 + 1 + 1 days before it are needed, and February makes the months comparable. */
export const FIRST_DAY = '2001-02-01';
/** Last day that the data cover whole. */
export const LAST_DAY = '2001-06-30';

/** The instant a day (`YYYY-MM-DD`, UTC) begins at, moved by some minutes. */
export function at(day: string, minutes = 0): Date {
  return new Date(Date.parse(`${day}T00:00:00Z`) + minutes * 60_000);
}

/** The day after. */
export function next(day: string): string {
  return at(day, 24 * 60)
    .toISOString()
    .slice(0, 10);
}

/** Days from one on, as many as asked for, ending with the data. */
export function daysFrom(first: string, count: number): string[] {
  const days: string[] = [];
  for (let day = first; days.length < count && day <= LAST_DAY; day = next(day)) days.push(day);
  return days;
}
