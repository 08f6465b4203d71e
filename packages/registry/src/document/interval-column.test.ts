import { describe, expect, it } from 'vitest';
import { intervalColumn } from './interval-column.ts';

const interval = (confidence: number) => ({ low: 0.1, high: 0.2, confidence });

describe('intervalColumn', () => {
  it('says the confidence once where all have the same', () => {
    expect(intervalColumn([interval(0.95), null, interval(0.95)])).toEqual({
      head: 'Interval (95 %)',
      cells: ['0.1000 to 0.2000', '', '0.1000 to 0.2000'],
    });
  });

  it('says it of each where they differ', () => {
    expect(intervalColumn([interval(0.95), interval(0.9)])).toEqual({
      head: 'Interval',
      cells: ['0.1000 to 0.2000 at 95 %', '0.1000 to 0.2000 at 90 %'],
    });
  });

  it('is empty where there is none', () => {
    expect(intervalColumn([undefined])).toEqual({ head: 'Interval', cells: [''] });
  });
});
