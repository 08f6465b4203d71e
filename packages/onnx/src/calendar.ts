import { MISSING_TIMESTAMP, type FittedFeature, type TimestampPart } from '@perennial/contract';
import type { GraphBuilder } from './graph-builder.ts';

export type TimestampFeature = Extract<FittedFeature, { kind: 'timestamp' }>;

/** How many values a part takes before it begins again. */
export const PART_PERIOD: Record<TimestampPart, number> = {
  minuteOfHour: 60,
  hourOfDay: 24,
  minuteOfDay: 1440,
  dayOfWeek: 7,
  dayOfMonth: 31,
  dayOfYear: 366,
  month: 12,
};

/** Parts that are read off the same integer, and so share one table. */
type Cycle = 'day' | 'week' | 'year';
const PART_CYCLE: Record<TimestampPart, Cycle> = {
  minuteOfHour: 'day',
  hourOfDay: 'week',
  minuteOfDay: 'day',
  dayOfWeek: 'week',
  dayOfMonth: 'year',
  dayOfYear: 'year',
  month: 'year',
};

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const WEEK = 7 * DAY;
const MINUTES_PER_DAY = 1440;
const HOURS_PER_WEEK = 168;
/** Days from 0000-03-01 to 1970-01-01, in a calendar year and in the 400 years after which the Gregorian calendar repeats. */
const EPOCH_OFFSET = 719_468;
const LONGEST_YEAR = 366;
const DAYS_PER_ERA = 146_097;
const YEARS_PER_ERA = 400;

/** Columns of a timestamp feature: sine and cosine of each part or its position, in the given order; last, whether it was missing. */
export function timestampColumns(feature: TimestampFeature): string[] {
  const parts = feature.parts.flatMap((part) => {
    const name = `${feature.name}:${part}`;
    return feature.cyclic ? [`${name}:sin`, `${name}:cos`] : [name];
  });
  return [...parts, `${feature.name}:missing`];
}

/**
 * Writes the nodes of a timestamp feature from its raw column, int64 `[rows, 1]`; gives float32 tensors of `[rows, …]`, side by
 * side the feature's columns.
 *
 * Integer arithmetic reduces an instant to the minute of its day, the hour of its week or the day of its year; everything else is read
 * from a table with one line per such value, and a last line for a missing timestamp: zeros, and 1 in the column that says so.
 */
export function writeTimestamp(graph: GraphBuilder, feature: TimestampFeature, column: string): string[] {
  const instants = new Instants(graph, column);
  const runs = consecutiveParts(feature.parts);
  return runs.map((run, i) => {
    const cycle = CYCLES[run.cycle];
    const table = buildTable(cycle, run.parts, {
      cyclic: feature.cyclic,
      missingColumn: i === runs.length - 1,
    });
    const line = instants.line(run.cycle, cycle.lines);
    return graph.node('Gather', [graph.constant(table.data, table.shape), line]);
  });
}

interface PartRun {
  cycle: Cycle;
  parts: TimestampPart[];
}

/** Groups neighbours that share a table, so that the columns keep the order of the parts. */
function consecutiveParts(parts: readonly TimestampPart[]): PartRun[] {
  const runs: PartRun[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (last?.cycle === PART_CYCLE[part]) last.parts.push(part);
    else runs.push({ cycle: PART_CYCLE[part], parts: [part] });
  }
  return runs;
}

/**
 * The integers that a column of instants reduces to, each written once. `Mod` comes first, since it takes the divisor's sign where
 * `Div` rounds towards zero: what remains is not negative before 1970 either, and too small to overflow.
 */
class Instants {
  readonly #graph: GraphBuilder;
  readonly #missing: string;
  readonly #raw: string;
  readonly #lines = new Map<Cycle, string>();

  constructor(graph: GraphBuilder, column: string) {
    this.#graph = graph;
    this.#raw = graph.node('Squeeze', [column, graph.constant(BigInt64Array.of(1n), [1])]);
    this.#missing = graph.node('Equal', [this.#raw, graph.scalar(MISSING_TIMESTAMP)]);
  }

  /** Line of the cycle's table for each row: `missingLine` where there is no timestamp. */
  line(cycle: Cycle, missingLine: number): string {
    const written = this.#lines.get(cycle);
    if (written !== undefined) return written;
    const present = this.#presentLine(cycle);
    const line = this.#graph.node('Where', [this.#missing, this.#graph.scalar(BigInt(missingLine)), present]);
    this.#lines.set(cycle, line);
    return line;
  }

  #presentLine(cycle: Cycle): string {
    switch (cycle) {
      case 'day':
        return this.#divide(this.#modulo(this.#raw, DAY), MINUTE);
      case 'week':
        return this.#divide(this.#modulo(this.#raw, WEEK), HOUR);
      case 'year':
        return this.#dayOfYearLine();
    }
  }

  /**
   * `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": the day within an era of 400 years that begins
   * on 1 March, from it the year of the era, and the day of that year. The formula of the day, 365·y + y/4 − y/100, is a table here.
   */
  #dayOfYearLine(): string {
    const graph = this.#graph;
    const days = this.#divide(this.#modulo(this.#raw, DAYS_PER_ERA * DAY), DAY);
    const dayOfEra = this.#modulo(this.#add(days, EPOCH_OFFSET), DAYS_PER_ERA);
    const leapDays = graph.node('Sub', [this.#divide(dayOfEra, 36_524), this.#divide(dayOfEra, 1_460)]);
    const corrected = graph.node('Sub', [
      graph.node('Add', [dayOfEra, leapDays]),
      this.#divide(dayOfEra, DAYS_PER_ERA - 1),
    ]);
    const yearOfEra = this.#divide(corrected, 365);
    const starts = graph.constant(yearStarts(), [YEARS_PER_ERA]);
    return graph.node('Sub', [dayOfEra, graph.node('Gather', [starts, yearOfEra])]);
  }

  #modulo(tensor: string, divisor: number): string {
    return this.#graph.node('Mod', [tensor, this.#graph.scalar(BigInt(divisor))]);
  }

  #divide(tensor: string, divisor: number): string {
    return this.#graph.node('Div', [tensor, this.#graph.scalar(BigInt(divisor))]);
  }

  #add(tensor: string, summand: number): string {
    return this.#graph.node('Add', [tensor, this.#graph.scalar(BigInt(summand))]);
  }
}

/** Day of era on which each year begins, less 366 for leap years, so that their days are the second half of the table's lines. */
function yearStarts(): BigInt64Array {
  return BigInt64Array.from({ length: YEARS_PER_ERA }, (_, year) => {
    const start = 365 * year + Math.floor(year / 4) - Math.floor(year / 100);
    return BigInt(isLeapYear(year) ? start - LONGEST_YEAR : start);
  });
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % YEARS_PER_ERA === 0);
}

/** What the lines of a cycle's table stand for. */
interface CycleTable {
  lines: number;
  /** Value of a part on a line, counted from 0. */
  value(part: TimestampPart, line: number): number;
}

const CYCLES: Record<Cycle, CycleTable> = {
  day: { lines: MINUTES_PER_DAY, value: partOfDay },
  week: { lines: HOURS_PER_WEEK, value: partOfWeek },
  year: { lines: 2 * LONGEST_YEAR, value: partOfYear },
};

/** Lines count minutes. */
function partOfDay(part: TimestampPart, minute: number): number {
  return part === 'minuteOfHour' ? minute % 60 : minute;
}

/** Lines count hours from Thursday on, the day of the week that 1970 began with; weeks begin on Monday. */
function partOfWeek(part: TimestampPart, hour: number): number {
  return part === 'hourOfDay' ? hour % 24 : (Math.floor(hour / 24) + 3) % 7;
}

/** Lines count days from 1 March, first of common years, then of leap years. Months and days as in Hinnant's `civil_from_days`. */
function partOfYear(part: TimestampPart, line: number): number {
  const day = line % LONGEST_YEAR;
  const leap = line >= LONGEST_YEAR ? 1 : 0;
  const monthFromMarch = Math.floor((5 * day + 2) / 153);
  if (part === 'dayOfMonth') return day - Math.floor((153 * monthFromMarch + 2) / 5);
  if (part === 'month') return (monthFromMarch + 2) % 12;
  const january = 306;
  return day >= january ? day - january : day + 59 + leap;
}

function buildTable(
  cycle: CycleTable,
  parts: readonly TimestampPart[],
  options: { cyclic: boolean; missingColumn: boolean },
): { data: Float32Array; shape: number[] } {
  const lines = Array.from({ length: cycle.lines }, (_, line) => [
    ...parts.flatMap((part) => encodePosition(cycle.value(part, line) / PART_PERIOD[part], options.cyclic)),
    ...(options.missingColumn ? [0] : []),
  ]);
  const width = lines[0]?.length ?? 0;
  const missingLine = new Array<number>(width).fill(0);
  if (options.missingColumn) missingLine[width - 1] = 1;
  return { data: Float32Array.from([...lines, missingLine].flat()), shape: [lines.length + 1, width] };
}

function encodePosition(position: number, cyclic: boolean): number[] {
  return cyclic ? [Math.sin(2 * Math.PI * position), Math.cos(2 * Math.PI * position)] : [position];
}
