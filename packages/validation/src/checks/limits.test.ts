import type { LimitSpec, ServedReport } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { checkLimits, type Measured } from './limits.ts';

const SERVED: ServedReport = {
  requests: 400,
  rows: 4_000,
  maxDifference: 0,
  p50Milliseconds: 0.8,
  p99Milliseconds: 3.2,
  residentMegabytes: 140,
  champion: null,
};
const MEASURED: Measured = {
  evaluation: {
    metrics: { auc: 0.712, logLoss: 0.4, accuracy: null },
    intervals: { auc: { low: 0.69, high: 0.73, confidence: 0.9 } },
    calibration: { error: 0.02, bins: [] },
  },
  served: SERVED,
};
const judge = (limit: LimitSpec, measured = MEASURED) => checkLimits([limit], measured)[0]!;

describe('a limit', () => {
  it('holds by the value, with the interval beside it', () => {
    expect(judge({ kind: 'atLeast', measure: 'auc', value: 0.7 })).toEqual({
      name: 'limit',
      subject: 'AUC',
      outcome: 'pass',
      explanation: "The candidate's AUC is 0.712 (90 % interval 0.69 to 0.73), at least 0.7 as asked.",
      measured: 0.712,
      limit: 0.7,
    });
  });

  it('fails by the value', () => {
    expect(judge({ kind: 'atLeast', measure: 'auc', value: 0.72 })).toMatchObject({
      outcome: 'fail',
      explanation: "The candidate's AUC is 0.712 (90 % interval 0.69 to 0.73), and must be at least 0.72.",
    });
  });

  it.each<[LimitSpec, string]>([
    [{ kind: 'atMost', measure: 'logLoss', value: 0.4 }, 'pass'],
    [{ kind: 'atMost', measure: 'logLoss', value: 0.39 }, 'fail'],
    [{ kind: 'atMost', measure: 'calibrationError', value: 0.05 }, 'pass'],
    [{ kind: 'atMost', measure: 'calibrationError', value: 0.01 }, 'fail'],
    [{ kind: 'atMost', measure: 'p99Milliseconds', value: 5 }, 'pass'],
    [{ kind: 'atMost', measure: 'p99Milliseconds', value: 3 }, 'fail'],
    [{ kind: 'atMost', measure: 'residentMegabytes', value: 128 }, 'fail'],
  ])('%j: %s', (limit, outcome) => {
    expect(judge(limit).outcome).toBe(outcome);
  });

  it('is left open where nothing could be measured', () => {
    const nothing = { evaluation: { ...MEASURED.evaluation, calibration: null }, served: null };
    for (const measure of ['accuracy', 'calibrationError', 'p99Milliseconds'] as const) {
      expect(judge({ kind: 'atMost', measure, value: 1 }, nothing)).toMatchObject({
        outcome: 'skipped',
        measured: null,
      });
    }
  });
});
