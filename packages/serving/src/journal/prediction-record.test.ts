import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdGenerator, ManualClock } from '@perennial/contract';
import { predictionMaker } from '../testing/records.ts';
import { dayOfRecord, encodePrediction } from './prediction-record.ts';

describe('a record', () => {
  test('is JSON on one line that gives back the prediction, whatever its key and features hold', () => {
    const make = predictionMaker();
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
    );
    const features = fc.dictionary(fc.string(), fc.option(value));
    fc.assert(
      fc.property(fc.option(fc.string({ unit: 'binary' })), features, (key, given) => {
        const prediction = make({ key, features: given });
        const record = encodePrediction(prediction);
        expect(record).not.toContain('\n');
        // As JSON has it: no negative zero, and no prototypes.
        expect(JSON.parse(record)).toEqual(JSON.parse(JSON.stringify(prediction)));
      }),
    );
  });

  test('tells its day by the time in its id', () => {
    const days = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(days, fc.integer({ min: 0, max: 86_399_999 }), (day, milliseconds) => {
        const ids = new IdGenerator(new ManualClock(new Date(day * 86_400_000 + milliseconds)));
        expect(dayOfRecord(encodePrediction(predictionMaker()({ id: ids.next() })))).toBe(day);
      }),
    );
  });
});
