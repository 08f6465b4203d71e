import { DAY_MILLISECONDS, durationMilliseconds, type SplitName, type WindowSpec } from '@perennial/contract';

/** The instants that a dataset's splits lie between: train [from, validation), validation [validation, test), test [test, to). */
export interface WindowBounds {
  from: Date;
  validation: Date;
  test: Date;
  to: Date;
}

/**
 * Where the window lies for a run that looks at the world from `asOf`. It ends where that day begins in UTC when every part is whole days, so
 * that runs at different hours of one day read the same rows; otherwise at `asOf` itself.
 */
export function windowBounds(window: WindowSpec, asOf: Date): WindowBounds {
  const train = durationMilliseconds(window.train);
  const validation = durationMilliseconds(window.validation);
  const test = durationMilliseconds(window.test);
  const wholeDays = [train, validation, test].every((part) => part % DAY_MILLISECONDS === 0);
  const to = wholeDays ? Math.floor(asOf.getTime() / DAY_MILLISECONDS) * DAY_MILLISECONDS : asOf.getTime();
  return {
    from: new Date(to - test - validation - train),
    validation: new Date(to - test - validation),
    test: new Date(to - test),
    to: new Date(to),
  };
}

/** One split's part of the window, `to` exclusive. */
export function splitBounds(bounds: WindowBounds, split: SplitName): { from: Date; to: Date } {
  switch (split) {
    case 'train':
      return { from: bounds.from, to: bounds.validation };
    case 'validation':
      return { from: bounds.validation, to: bounds.test };
    case 'test':
      return { from: bounds.test, to: bounds.to };
  }
}
