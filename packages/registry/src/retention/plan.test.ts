import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DAY_MILLISECONDS,
  type PipelineSpec,
  type RetentionPolicy,
  type RetentionRule,
} from '@perennial/contract';
import type { HeldDataset, HeldVersion, Holdings } from '@perennial/storage';
import { SPEC } from '@perennial/storage/testing';
import { planRetention } from './plan.ts';
import { pastRule } from './rules.ts';

const NOW = new Date('2001-06-30T12:00:00Z');
const FOR_EVER: RetentionRule = { maxAge: null, keepLast: null };
const NONE: RetentionPolicy = {
  predictions: FOR_EVER,
  datasets: FOR_EVER,
  artifacts: FOR_EVER,
  runs: FOR_EVER,
};
const ID = '01890000-0000-7000-8000-000000000000';

const EMPTY: Holdings = {
  partitions: [],
  versions: [],
  datasets: [],
  runs: [],
  unfinished: [],
  needs: [],
  batches: [],
  pipelines: [],
  backfills: [],
  noticed: new Map(),
};

const partition = (day: string) => ({ day, rows: 10, bytes: 100 });
const PARTITIONS = ['2001-05-01', '2001-06-20', '2001-06-22', '2001-06-28', '2001-06-30'].map(partition);

function predictionPlan(maxAge: string, holdings: Partial<Holdings> = {}) {
  const policy = { ...NONE, predictions: { maxAge, keepLast: null } };
  const { go, kept } = planRetention(
    { ...EMPTY, partitions: PARTITIONS, ...holdings },
    { policy, now: NOW, stored: [] },
  ).predictions;
  return { go: go.map(({ day }) => day), kept };
}

/** Trained on predictions of 7 + 1 + 1 days. */
const FED: PipelineSpec = {
  ...SPEC,
  name: 'fed',
  data: { ...SPEC.data, source: { kind: 'predictionLog', model: 'churn' } },
};

describe('days of predictions', () => {
  it('go when the whole of them is older', () => {
    expect(predictionPlan('2d')).toEqual({ go: ['2001-05-01', '2001-06-20', '2001-06-22'], kept: [] });
    expect(predictionPlan('36h').go).toContain('2001-06-28');
    expect(predictionPlan('37h').go).not.toContain('2001-06-28');
    expect(predictionPlan('1s').go).not.toContain('2001-06-30');
  });

  it('stay while a loaded pipeline is trained on them', () => {
    const { go, kept } = predictionPlan('1d', { pipelines: [SPEC, FED] });
    expect(go).toEqual(['2001-05-01']);
    expect(kept[0]).toEqual({
      name: '2001-06-20',
      reason: 'fed is trained on predictions of its last 10 days',
    });
  });

  it('stay while a run or a backfill of such a pipeline looks back to them', () => {
    const asOf = new Date('2001-05-08T00:00:00Z');
    const unfinished = [{ id: ID, spec: FED, asOf, dataset: null, artifacts: [] }];
    expect(predictionPlan('1d', { unfinished }).kept[0]?.reason).toBe(`run_${ID} is under way`);
    const backfills = [{ id: ID, pipeline: 'fed', firstDay: '2001-05-08' }];
    expect(predictionPlan('1d', { backfills, pipelines: [FED] }).go).toEqual([]);
    expect(predictionPlan('1d', { backfills }).go).toContain('2001-05-01');
  });
});

describe('golden sets', () => {
  it('stay, of pipelines that are loaded', () => {
    const dataset: HeldDataset = {
      digest: 'sha256:a',
      pipeline: 'gone',
      createdAt: new Date(0),
      rows: 1,
      files: [],
    };
    const policy = { ...NONE, datasets: { maxAge: '1d', keepLast: null } };
    const validate = { ...SPEC.validate, goldenSets: [{ name: 'first', dataset: 'sha256:a' }] };
    const plan = (pipelines: PipelineSpec[]) =>
      planRetention({ ...EMPTY, datasets: [dataset], pipelines }, { policy, now: NOW, stored: [] }).datasets;
    expect(plan([{ ...SPEC, validate } as PipelineSpec])).toMatchObject({
      go: [],
      kept: [{ name: 'sha256:a', reason: "golden set 'first' of churn" }],
    });
    expect(plan([SPEC]).go).toEqual([dataset]);
  });
});

describe('a rule', () => {
  const ages = fc.array(
    fc.record({ days: fc.integer({ min: 0, max: 50 }), group: fc.constantFrom('a', 'b') }),
  );
  const aging = ({ days, group }: { days: number; group: string }) => ({
    group,
    since: new Date(NOW.getTime() - days * DAY_MILLISECONDS),
  });
  const past = (items: { days: number; group: string }[], rule: RetentionRule) =>
    pastRule(items, rule, { now: NOW, aging });

  it('lets go only what is older, and keeps so many newest of each group', () => {
    fc.assert(
      fc.property(
        ages,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (items, age, last) => {
          const going = past(items, { maxAge: `${age}d`, keepLast: last });
          for (const item of going) expect(item.days).toBeGreaterThan(age);
          for (const group of ['a', 'b']) {
            const all = items.filter((item) => item.group === group);
            const left = all.filter((item) => !going.includes(item));
            expect(left.length).toBeGreaterThanOrEqual(Math.min(last, all.length));
            const oldest = Math.max(0, ...left.filter(({ days }) => days > age).map(({ days }) => days));
            for (const item of going.filter((each) => each.group === group))
              expect(item.days).toBeGreaterThanOrEqual(oldest);
          }
        },
      ),
    );
  });

  it('of no part lets nothing go', () => {
    fc.assert(
      fc.property(ages, (items) => {
        expect(past(items, FOR_EVER)).toEqual([]);
      }),
    );
  });
});

describe('any holdings', () => {
  const file = fc.constantFrom('f1', 'f2', 'f3', 'f4', 'f5', 'f6');
  const version: fc.Arbitrary<HeldVersion> = fc.record({
    model: fc.constantFrom('m', 'n'),
    version: fc.integer({ min: 1, max: 5 }),
    artifact: file,
    artifactBytes: fc.constant(1),
    linear: fc.option(fc.record({ artifact: file, bytes: fc.constant(1) })),
    original: fc.constant(null),
    warmStartedFrom: fc.option(file),
    dataset: fc.option(fc.constantFrom('d1', 'd2', 'd3')),
    createdAt: fc
      .integer({ min: 0, max: 5 })
      .map((days) => new Date(NOW.getTime() - days * DAY_MILLISECONDS)),
  });
  const split = fc.constantFrom('s1', 's2', 's3', 's4');
  const dataset = fc
    .tuple(fc.constantFrom('d1', 'd2', 'd3'), fc.array(split, { minLength: 3, maxLength: 3 }))
    .map(([digest, files]): HeldDataset => ({
      digest,
      pipeline: 'm',
      createdAt: new Date(0),
      rows: 1,
      files: files.map((each) => ({ digest: each, bytes: 1 })),
    }));
  const name = (each: { model: string; version: number }) => `${each.model}@${each.version}`;
  const holdings = fc.record({
    versions: fc.uniqueArray(version, { selector: name, maxLength: 8 }),
    datasets: fc.uniqueArray(dataset, { selector: ({ digest }) => digest }),
    needed: fc.array(fc.nat(7), { maxLength: 3 }),
  });

  it('lose no file that what is needed, or what is left, has', () => {
    const rule = { maxAge: '2d', keepLast: null };
    fc.assert(
      fc.property(holdings, ({ versions, datasets, needed }) => {
        const needs = needed.flatMap((index) => versions.slice(index, index + 1));
        const given = {
          ...EMPTY,
          versions,
          datasets,
          needs: needs.map((each) => ({ ...each, reason: 'x' })),
        };
        const policy = { ...NONE, datasets: rule, artifacts: rule };
        const stored = ['f1', 'f2', 'f3', 'f4', 'f5', 'f6', 's1', 's2', 's3', 's4'];
        const plan = planRetention(given, { policy, now: NOW, stored });
        const gone = new Set([...plan.artifacts.go, ...plan.datasets.files].map(({ digest }) => digest));
        for (const each of needs) {
          expect(
            [each.artifact, each.linear?.artifact, each.warmStartedFrom].some((digest) =>
              gone.has(digest ?? ''),
            ),
          ).toBe(false);
          const own = datasets.find(({ digest }) => digest === each.dataset);
          expect(own?.files.some(({ digest }) => gone.has(digest)) ?? false).toBe(false);
        }
        for (const each of versions)
          if (NOW.getTime() - each.createdAt.getTime() <= 2 * DAY_MILLISECONDS)
            expect(gone.has(each.artifact)).toBe(false);
        for (const left of datasets.filter((each) => !plan.datasets.go.includes(each)))
          expect(left.files.some(({ digest }) => gone.has(digest))).toBe(false);
      }),
    );
  });
});
