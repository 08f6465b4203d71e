import { describe, expect, it } from 'vitest';
import { JOB_PAYLOADS, JOB_QUEUES } from './jobs.ts';
import { HIGHER_IS_BETTER, METRICS, METRIC_TITLES, metricSchema } from './metric.ts';
import { expectationSchema, sourceSpecSchema } from './pipeline-spec.ts';
import { notWorseSchema } from './validate-spec.ts';

describe('metrics', () => {
  it('are those of the label kinds, each once, each with a direction and a title', () => {
    const names = [...new Set(Object.values(METRICS).flat())];
    expect(metricSchema.options).toEqual(names);
    expect(Object.keys(HIGHER_IS_BETTER).sort()).toEqual([...names].sort());
    expect(Object.keys(METRIC_TITLES).sort()).toEqual([...names].sort());
    expect(new Set(Object.values(METRIC_TITLES)).size).toBe(names.length);
  });
});

describe('the normal form of a pipeline', () => {
  const gate = { kind: 'notWorse', metric: 'auc', margin: 0.005, confidence: 0.95, replicates: 1000 };

  it('holds a comparison', () => {
    expect(notWorseSchema.parse(gate)).toEqual(gate);
  });

  it.each([{ confidence: 1 }, { confidence: 0.5 }, { margin: -1 }, { metric: 'speed' }, { replicates: 10 }])(
    'holds no comparison with %j',
    (change) => {
      expect(notWorseSchema.safeParse({ ...gate, ...change }).success).toBe(false);
    },
  );

  it.each([
    { kind: 'oneOf', column: 'a', values: [] },
    { kind: 'unique', columns: [] },
    { kind: 'matches', column: 'a', pattern: '' },
    { kind: 'rowCount', min: -1 },
    { kind: 'mystery', column: 'a' },
  ])('holds no expectation such as %j', (expectation) => {
    expect(expectationSchema.safeParse(expectation).success).toBe(false);
  });

  it.each([
    { kind: 'parquet', paths: [] },
    { kind: 'csv', paths: ['a.csv'], header: true, delimiter: ',,' },
    { kind: 'ftp', paths: ['a'] },
  ])('holds no source such as %j', (source) => {
    expect(sourceSpecSchema.safeParse(source).success).toBe(false);
  });
});

it('every kind of job has a queue', () => {
  expect(Object.keys(JOB_QUEUES)).toEqual(Object.keys(JOB_PAYLOADS));
});
