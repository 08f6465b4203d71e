import { readSplit, type BuiltDataset } from '@perennial/data';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  droppedCategoryFindings,
  featureShiftFindings,
  featureShifts,
  labelLeakFindings,
  unitChangeFindings,
} from './index.ts';
import { cardPair } from './testing/cards.ts';
import { Flights } from './testing/flights.ts';

let flights: Flights;
let spring: BuiltDataset & { file: string };
let next: BuiltDataset;
let summer: BuiltDataset;
let distances: number[];

beforeAll(async () => {
  flights = await Flights.open();
  spring = await flights.build('2001-03-10');
  next = await flights.build('2001-03-11');
  summer = await flights.build('2001-06-20');
  distances = [];
  for await (const { batch } of readSplit({
    file: spring.file,
    manifest: spring.manifest,
    columns: ['distance'],
  }))
    distances.push(...(batch.columns['distance'] as Float64Array));
});
afterAll(() => flights.close());

function real(candidate: BuiltDataset) {
  return { champion: spring.card, candidate: candidate.card, encoder: candidate.manifest.encoder };
}

describe('the checks of the data on real flights', () => {
  it('find nothing from one day to the next, nor from spring to summer', () => {
    for (const cards of [real(next), real(summer)]) {
      const shifts = featureShifts(cards);
      expect(shifts.map(({ column }) => column).sort()).toEqual([
        'date',
        'delay',
        'destination',
        'distance',
        'origin',
      ]);
      const findings = [
        ...featureShiftFindings(shifts),
        ...unitChangeFindings(cards),
        ...droppedCategoryFindings(cards),
      ];
      expect(findings.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
        'feature-shift pass',
        'unit-change pass',
        'dropped-category pass',
      ]);
    }
  });

  it('find that the delay gives the label away, and nothing else', async () => {
    const findings = await labelLeakFindings({ file: spring.file, manifest: spring.manifest });
    expect(findings).toMatchObject([{ name: 'label-leak', subject: 'delay', outcome: 'fail', measured: 1 }]);
  });

  it('find kilometres in the place of miles among any rows, and no growth of up to 15 %', () => {
    const rows = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 2_000, maxLength: 4_000 });
    fc.assert(
      fc.property(rows, rows, fc.double({ min: 0.85, max: 1.15, noNaN: true }), (then, now, growth) => {
        const drawn = (picks: number[], factor: number) =>
          picks.map((pick) => distances[pick % distances.length]! * factor);
        const grown = cardPair({ x: drawn(then, 1) }, { x: drawn(now, growth) });
        expect(unitChangeFindings(grown)).toMatchObject([{ outcome: 'pass' }]);
      }),
      { numRuns: 60 },
    );
    const kilometres = cardPair({ x: distances }, { x: distances.map((miles) => miles * 1.609344) });
    expect(unitChangeFindings(kilometres)).toMatchObject([{ outcome: 'fail', subject: 'x_feature' }]);
  });

  it('find kilometres also in a later season’s rows', () => {
    const later = {
      ...summer.card,
      columns: summer.card.columns.map((column) => ({
        ...column,
        quantiles:
          column.name === 'distance' ? column.quantiles!.map((value) => value * 1.609344) : column.quantiles,
      })),
    };
    const [finding] = unitChangeFindings({ ...real(summer), candidate: later });
    expect(finding).toMatchObject({ outcome: 'fail', subject: 'distance' });
    expect(finding?.explanation).toContain('miles to kilometres');
  });
});
