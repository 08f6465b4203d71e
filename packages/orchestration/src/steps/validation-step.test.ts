import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Alert, type GateReport, type Run, type TrainingResult } from '@perennial/contract';
import { atLeast } from '@perennial/pipeline';
import { getDatasetVersion, listAlerts } from '@perennial/storage';
import { PIPELINE, RunBench, VALIDATION, visits } from '../testing/run-bench.ts';

let bench: RunBench;
beforeEach(async () => {
  bench = await RunBench.open();
});
afterEach(() => bench.close());

async function run(options: { asOf?: string; force?: boolean } = {}): Promise<Run> {
  const ended = await bench.execute(await bench.start(PIPELINE, options));
  expect(ended).toMatchObject({ state: 'succeeded', error: null });
  return ended;
}

function output<Output>({ steps }: Run, name: 'training' | 'validation'): Output {
  return steps.find((step) => step.name === name)?.output as Output;
}
const report = (ended: Run) => output<{ report: GateReport }>(ended, 'validation').report;

async function alerts(): Promise<Alert[]> {
  return (await listAlerts(bench.database.orm, { limit: 50 })).items;
}

/** The same visits, all of whose pages are counted in another unit. */
const inAnotherUnit = () =>
  visits().replace(/Z,(\d+),/g, (_, pages: string) => `Z,${Number(pages) * 1.609344},`);

describe('the validation of a candidate', { timeout: 60_000 }, () => {
  it('weighs it against a linear model, whose artifact is kept', async () => {
    const first = await run();
    const { linear } = output<TrainingResult>(first, 'training');
    expect(await bench.store.has(linear?.artifact ?? '')).toBe(true);
    const { baselines } = output<{ baselines: { name: string }[] }>(first, 'validation');
    expect(baselines.map(({ name }) => name).sort()).toEqual(['constant', 'linear']);
  });

  it('enters every question on the ledger of the test rows, and the same question once', async () => {
    await run();
    await run({ force: true });
    const again = await run({ force: true });
    expect(again.verdict).toBe('pass');
    const rows = await bench.database.sql`select split, candidate, champion from test_set_comparisons`;
    // The same training gives the same artifact, which is its own champion: there is nothing to ask of the rows.
    expect(rows).toHaveLength(0);
    await writeFile(join(bench.folder, 'visits.csv'), visits().replace(/^(2024-03-05.*),true$/m, '$1,false'));
    const other = await run();
    expect(report(other).testSet).toMatchObject({ comparison: 1 });
    expect(await bench.database.sql`select comparison from test_set_comparisons`).toEqual([
      { comparison: 1 },
    ]);
  });

  it('leaves out the rows that the champion was fitted to', async () => {
    await run({ asOf: '2024-03-11T00:00:00Z' });
    // The test day of this one is the validation day of the champion.
    const earlier = report(await run({ asOf: '2024-03-10T00:00:00Z' }));
    expect(earlier).toMatchObject({ verdict: 'inconclusive', seenRows: 60, rows: 0 });
  });

  it('goes on where rows that the champion was fitted to are not kept any more', async () => {
    const { dataset } = await run({ asOf: '2024-03-11T00:00:00Z' });
    const { manifest } = await getDatasetVersion(bench.database.orm, dataset ?? '');
    await bench.store.delete(manifest.splits.validation.digest);
    await run({ asOf: '2024-03-10T00:00:00Z' });
  });
});

describe('a golden set', { timeout: 60_000 }, () => {
  it('is asked of every candidate', async () => {
    const { dataset } = await run();
    await bench.validate({ ...VALIDATION, goldenSets: [{ name: 'first-day', dataset: dataset ?? '' }] });
    const { checks } = report(await run({ force: true }));
    expect(checks.filter(({ name }) => name === 'golden-set')).toMatchObject([
      { subject: 'first-day', outcome: 'pass' },
    ]);
  });

  it('that is not on record fails the run before anything is built, naming the set', async () => {
    await bench.validate({
      ...VALIDATION,
      goldenSets: [{ name: 'unknown', dataset: `sha256:${'5'.repeat(64)}` }],
    });
    const ended = await bench.execute(await bench.start());
    expect(ended).toMatchObject({
      state: 'failed',
      error: {
        code: 'pipeline-invalid',
        message: expect.stringMatching(/The golden set 'unknown' .* no such dataset version/) as string,
      },
    });
    expect(await bench.events(ended)).toEqual(['created', 'started', 'failed']);
  });

  it('whose rows are not kept any more fails the run, naming the set', async () => {
    const { dataset } = await run();
    const { manifest } = await getDatasetVersion(bench.database.orm, dataset ?? '');
    await bench.validate({ ...VALIDATION, goldenSets: [{ name: 'first-day', dataset: dataset ?? '' }] });
    await bench.store.delete(manifest.splits.test.digest);
    const ended = await bench.execute(await bench.start(PIPELINE, { asOf: '2024-03-10T00:00:00Z' }));
    expect(ended).toMatchObject({
      state: 'failed',
      error: { message: expect.stringMatching(/'first-day' .* not kept any more/) as string },
    });
  });
});

describe('a candidate that fails its gate', { timeout: 60_000 }, () => {
  it('raises one alert, which says what moved since the champion, as the run’s page does', async () => {
    await run();
    expect(await alerts()).toEqual([]);
    await writeFile(join(bench.folder, 'visits.csv'), inAnotherUnit());
    const ended = await run();
    expect(ended).toMatchObject({ verdict: 'fail', version: 2 });
    const [alert, ...more] = await alerts();
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      kind: 'candidate-worse',
      severity: 'warning',
      model: PIPELINE,
      run: ended.id,
      version: 2,
      title: 'visits@2 did not pass its gate; visits@1 stays in production',
      details: { verdict: 'fail', champion: { model: PIPELINE, version: 1 } },
    });
    expect(alert?.message).toContain(
      "Since the training rows of version 1, 'pages' has moved most: mean from",
    );
    expect(report(ended).shifts[0]).toMatchObject({ feature: 'pages' });
  });

  it('raises one where nothing is in production too', async () => {
    await bench.validate({ gate: [VALIDATION.gate, atLeast('auc', 0.9999)].flat() });
    expect(await run()).toMatchObject({ verdict: 'fail', version: 1 });
    expect(await alerts()).toMatchObject([{ title: 'visits@1 did not pass its gate', version: 1 }]);
  });
});
