import { z } from 'zod';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof UNITS;

/** A length of time as an author writes it: `90s`, `15m`, `6h`, `28d`, `4w`. */
export const durationSchema = z.string().regex(/^[1-9][0-9]{0,5}[smhdw]$/, {
  error: 'must be a whole number and a unit: 90s, 15m, 6h, 28d or 4w',
  abort: true,
});

/** JavaScript's timers hold 31 bits of milliseconds; one set for longer fires at once. */
export const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** A length of time that something is waited for. */
export const timeoutSchema = durationSchema.refine(
  (text) => durationMilliseconds(text) <= LONGEST_TIMER_MILLISECONDS,
  'must be at most 24d',
);

/** A length of time in milliseconds. The text must fit {@link durationSchema}. */
export function durationMilliseconds(text: string): number {
  const unit = text.slice(-1) as Unit;
  return Number(text.slice(0, -1)) * UNITS[unit];
}

export const DAY_MILLISECONDS = UNITS.d;
