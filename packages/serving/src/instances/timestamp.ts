import { DAY_MILLISECONDS } from '@perennial/contract';

/**
 * The ISO 8601 forms that are taken: a calendar date, or a date and a time of day joined by `T`, with seconds and a fraction optional
 * and a zone as `Z`, `+hh:mm` or `+hhmm`. Week dates, ordinal dates, `24:00` and leap seconds are refused.
 */
const FORM =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:(Z)|([+-])(\d\d):?(\d\d))?)?$/;

/** What a timestamp may look like, for error messages. */
export const TIMESTAMP_FORMS =
  'an ISO 8601 date or date and time (2001-01-31 or 2001-01-31T08:30:00Z) or whole milliseconds since 1970';

/** ECMA-262 time values end at 100,000,000 days either side of 1970. */
const LARGEST_TIME = 8.64e15;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysInMonth(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return (DAYS_IN_MONTH[month - 1] ?? 0) + (leap ? 1 : 0);
}

/**
 * Days from 1970-01-01 to a date of the proleptic Gregorian calendar; Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * `days_from_civil`. `Date.UTC` would read the years 0 to 99 as 1900 to 1999.
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The instant without its offset from UTC, or undefined when it is no date or time of day. */
function localMilliseconds(match: RegExpExecArray): number | undefined {
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  const midnight = daysFromCivil(year, month, day) * DAY_MILLISECONDS;
  if (match[4] === undefined) return midnight;
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6] ?? 0);
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  // Three digits after the point are milliseconds, also where one or two were given; further digits are cut off.
  const milliseconds = match[7] === undefined ? 0 : Number(`${match[7]}00`.slice(0, 3));
  return midnight + hour * 3_600_000 + minute * 60_000 + second * 1_000 + milliseconds;
}

/** What the zone is ahead of UTC, in milliseconds; 0 when none is given. */
function offsetMilliseconds(match: RegExpExecArray): number | undefined {
  if (match[9] === undefined) return 0;
  const hour = Number(match[10]);
  const minute = Number(match[11]);
  if (hour > 23 || minute > 59) return undefined;
  return (hour * 60 + minute) * 60_000 * (match[9] === '-' ? -1 : 1);
}

/**
 * Milliseconds since 1970 in UTC of an ISO 8601 text, or undefined when it is not one of the taken forms or no such instant exists
 * (30 February). A date alone is its midnight in UTC, and a time without a zone is UTC. Fractions below a millisecond are cut off.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const local = localMilliseconds(match);
  const offset = offsetMilliseconds(match);
  return local === undefined || offset === undefined ? undefined : local - offset;
}

/** Milliseconds since 1970 of a value as it crosses the wire, or undefined when it is not a timestamp. */
export function timestampMilliseconds(value: unknown): number | undefined {
  if (typeof value === 'string') return parseTimestamp(value);
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > LARGEST_TIME)
    return undefined;
  return value;
}
