/** A conversion `y = factor · x + offset` between two units. */
export interface UnitChange {
  factor: number;
  offset: number;
  /** In words: `miles to kilometres`. */
  units: string;
}

/** Conversions by one factor, from the unit that has the smaller numbers; the way back is theirs turned round. */
const FACTORS: readonly [factor: number, from: string, to: string][] = [
  [1.609344, 'miles', 'kilometres'],
  [1.852, 'nautical miles', 'kilometres'],
  [1 / 0.3048, 'metres', 'feet'],
  [2.54, 'inches', 'centimetres'],
  [1 / 0.45359237, 'kilograms', 'pounds'],
  [28.349523125, 'ounces', 'grams'],
  [3.785411784, 'US gallons', 'litres'],
  [3.6, 'metres per second', 'kilometres per hour'],
  [1 / 0.44704, 'metres per second', 'miles per hour'],
  [1.94384, 'metres per second', 'knots'],
  [6.894757, 'pounds per square inch', 'kilopascals'],
  [24, 'days', 'hours'],
  [60, 'minutes', 'seconds, or hours to minutes'],
  [1_440, 'days', 'minutes'],
  [3_600, 'hours', 'seconds'],
  [86_400, 'days', 'seconds'],
  [100, 'shares', 'percent, currency to cents, or metres to centimetres'],
  [1_000, 'seconds', 'milliseconds, or a unit to its thousandth'],
  [1_024, 'a unit of bytes', 'its 1,024th'],
  [1_000_000, 'seconds', 'microseconds, or a unit to its millionth'],
];

const BACK: Readonly<Record<number, string>> = {
  60: 'seconds to minutes, or minutes to hours',
  100: 'percent to shares, cents to currency, or centimetres to metres',
  1_000: 'milliseconds to seconds, or a thousandth to its unit',
  1_024: 'a unit of bytes to the one 1,024 times as large',
  1_000_000: 'microseconds to seconds, or a millionth to its unit',
};

export const FACTOR_CHANGES: readonly UnitChange[] = FACTORS.flatMap(([factor, from, to]) => [
  { factor, offset: 0, units: `${from} to ${to}` },
  { factor: 1 / factor, offset: 0, units: BACK[factor] ?? `${to} to ${from}` },
]);

/** Conversions of temperatures, which have another zero. */
export const OFFSET_CHANGES: readonly UnitChange[] = [
  { factor: 1, offset: 273.15, units: 'degrees Celsius to kelvins' },
  { factor: 1, offset: -273.15, units: 'kelvins to degrees Celsius' },
  { factor: 1.8, offset: 32, units: 'degrees Celsius to Fahrenheit' },
  { factor: 1 / 1.8, offset: -32 / 1.8, units: 'degrees Fahrenheit to Celsius' },
  { factor: 1.8, offset: -459.67, units: 'kelvins to degrees Fahrenheit' },
  { factor: 1 / 1.8, offset: 459.67 / 1.8, units: 'degrees Fahrenheit to kelvins' },
];
