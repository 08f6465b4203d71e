import type { Expectation } from './pipeline-spec.ts';

/** Values that are named before the others are only counted. */
const SPOKEN_VALUES = 8;

/** What an expectation asks for, in the words that stand on data cards and beside the rows that broke it: `distance is between 10 and 6000`. */
export function describeExpectation(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'notNull':
      return `${expectation.column} is not null`;
    case 'between':
      return `${expectation.column} is ${describeRange(expectation)}`;
    case 'oneOf':
      return `${expectation.column} is one of ${describeValues(expectation.values)}`;
    case 'matches':
      return `${expectation.column} matches ${expectation.pattern}`;
    case 'unique':
      return `${expectation.columns.join(' and ')} ${expectation.columns.length === 1 ? 'names' : 'name'} one row`;
    case 'rowCount':
      return `the number of rows is ${describeRange(expectation)}`;
    case 'predicate':
      return expectation.name;
  }
}

function describeRange({ min, max }: { min?: number | undefined; max?: number | undefined }): string {
  if (min === undefined) return `at most ${max ?? 'anything'}`;
  return max === undefined ? `at least ${min}` : `between ${min} and ${max}`;
}

function describeValues(values: readonly (string | number | boolean)[]): string {
  const more = values.length > SPOKEN_VALUES ? ` and ${values.length - SPOKEN_VALUES} more` : '';
  return `${values.slice(0, SPOKEN_VALUES).join(', ')}${more}`;
}
