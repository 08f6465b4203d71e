import { describe, expect, it } from 'vitest';
import type { GateReport } from '@perennial/contract';
import { worseAlert, type FailedCandidate } from './worse-alert.ts';

const DATASET = `sha256:${'d'.repeat(64)}`;
const REPORT = {
  verdict: 'fail',
  dataset: DATASET,
  champion: { model: 'flight-delay', version: 12, artifact: DATASET },
  comparisons: [
    {
      metric: 'auc',
      margin: 0.005,
      candidate: 0.61,
      champion: 0.72,
      verdict: 'fail',
    },
  ],
  checks: [
    { name: 'unit-change', subject: 'distance', severity: 'fail', outcome: 'fail', explanation: 'Miles.' },
    { name: 'calibration', subject: null, severity: 'report', outcome: 'fail', explanation: 'Off.' },
    { name: 'limit', subject: 'AUC', severity: 'fail', outcome: 'pass', explanation: 'Kept.' },
  ],
  shifts: [
    { feature: 'distance', column: 'distance', index: 3.204, description: 'mean from 812 to 1,307' },
    { feature: 'origin', column: 'origin', index: 0.02, description: 'ATL from 6 % to 7 %' },
  ],
} as unknown as GateReport;

const failed = (report: Partial<GateReport> = {}): FailedCandidate => ({
  model: 'flight-delay',
  version: 13,
  runId: '01890000-0000-7000-8000-000000000000',
  validation: { worse: { reason: 'Its AUC is worse.' }, report: { ...REPORT, ...report } },
});

describe('the alert about a candidate that failed', () => {
  it('says why, and which feature moved most since the champion', () => {
    expect(worseAlert(failed())).toMatchObject({
      title: 'flight-delay@13 did not pass its gate; flight-delay@12 stays in production',
      message:
        "Its AUC is worse. Since the training rows of version 12, 'distance' has moved most: mean from 812 to 1,307 (population stability index 3.20).",
    });
  });

  it('tells a program what failed by name, and leaves out what only stands in the report', () => {
    expect(worseAlert(failed())?.details).toMatchObject({
      dataset: DATASET,
      champion: { model: 'flight-delay', version: 12 },
      comparisons: [{ metric: 'auc', title: 'AUC', candidate: 0.61, champion: 0.72, verdict: 'fail' }],
      failedChecks: [{ name: 'unit-change', subject: 'distance', explanation: 'Miles.' }],
      shifts: [{ feature: 'distance' }, { feature: 'origin' }],
    });
  });

  it('blames no feature that has hardly moved', () => {
    const shifts = REPORT.shifts.slice(1);
    expect(worseAlert(failed({ shifts }))?.message).toBe(
      'Its AUC is worse. Since the training rows of version 12, no feature has moved much.',
    );
  });

  it('speaks of no champion where there is none', () => {
    expect(worseAlert(failed({ champion: null }))).toMatchObject({
      title: 'flight-delay@13 did not pass its gate',
      message: 'Its AUC is worse.',
    });
  });

  it('is none where nothing failed', () => {
    const { validation, ...candidate } = failed();
    expect(worseAlert({ ...candidate, validation: { ...validation, worse: null } })).toBeNull();
  });
});
