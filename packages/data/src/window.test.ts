import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitBounds, windowBounds } from './window.ts';

describe('windowBounds', () => {
  it('ends where the day of asOf begins when all parts are whole days', () => {
    const bounds = windowBounds(
      { train: '4w', validation: '48h', test: '1d' },
      new Date('2001-04-01T23:59:59Z'),
    );
    expect(bounds.from).toEqual(new Date('2001-03-01T00:00:00Z'));
    expect(bounds.validation).toEqual(new Date('2001-03-29T00:00:00Z'));
    expect(bounds.test).toEqual(new Date('2001-03-31T00:00:00Z'));
    expect(bounds.to).toEqual(new Date('2001-04-01T00:00:00Z'));
  });

  it('ends at asOf itself when a part is not', () => {
    const asOf = new Date('2001-04-01T23:59:59.123Z');
    const bounds = windowBounds({ train: '1d', validation: '6h', test: '90m' }, asOf);
    expect(bounds.to).toEqual(asOf);
    expect(bounds.test).toEqual(new Date('2001-04-01T22:29:59.123Z'));
  });

  it('knows days before 1970', () => {
    const bounds = windowBounds(
      { train: '1d', validation: '1d', test: '1d' },
      new Date('1969-12-31T12:00:00Z'),
    );
    expect(bounds.to).toEqual(new Date('1969-12-31T00:00:00Z'));
  });

  it('leaves no gap between splits and holds no row of asOf or later', () => {
    const duration = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.constantFrom('s', 'm', 'h', 'd', 'w'));
    const text = duration.map(([n, unit]) => `${n}${unit}`);
    const asOf = fc.date({ min: new Date('1960-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.record({ train: text, validation: text, test: text }), asOf, (window, date) => {
        const bounds = windowBounds(window, date);
        const [train, validation, test] = (['train', 'validation', 'test'] as const).map((split) =>
          splitBounds(bounds, split),
        );
        expect(train?.to).toEqual(validation?.from);
        expect(validation?.to).toEqual(test?.from);
        expect(test?.to.getTime()).toBeLessThanOrEqual(date.getTime());
        expect(train?.from.getTime()).toBeLessThan(train?.to.getTime() ?? 0);
      }),
    );
  });
});
