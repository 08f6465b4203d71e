import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '@perennial/server';
import { pipelineSource } from '../harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from '../harness/test-platform.ts';
import { TinyDisk } from '../harness/tiny-disk.ts';
import { features, makeVisits, toCsv } from '../harness/visits.ts';

const VISITS = makeVisits({ from: '2024-03-01', days: 11, perDay: 200 });
/** Rows of a request: more than the rest of a page, so that the first one finds the disk full. */
const ROWS = 50;

const probe = TinyDisk.mount();
probe?.unmount();

describe.skipIf(probe === undefined)(
  "a server whose journal's disk is full (needs the right to mount)",
  () => {
    let disk: TinyDisk;
    let test: TestPlatform;

    beforeAll(async () => {
      disk = TinyDisk.mount()!;
      test = await startTestPlatform({
        files: {
          'pipelines/visits.csv': toCsv(VISITS),
          'pipelines/strict/pipeline.ts': pipelineSource({ name: 'strict' }),
          'pipelines/lenient/pipeline.ts': pipelineSource({
            name: 'lenient',
            more: `serving: { modes: ['online'], record: { whenFull: 'drop-and-count', redact: ['country'] } },`,
          }),
        },
        config: { journal: { ...loadConfig().journal, folder: disk.folder } },
      });
      for (const pipeline of ['strict', 'lenient'])
        expect(await test.run(pipeline)).toMatchObject({ state: 'succeeded' });
    }, 120_000);
    afterAll(async () => {
      await test.stop();
      disk.unmount();
    }, 60_000);

    const ask = (model: string) =>
      test.request(`/v1/models/${model}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ instances: VISITS.slice(0, ROWS).map(features) }),
      });
    const recorded = async (model: string) =>
      (await test.client.listPredictions({ query: { model, limit: 500 } })).items;
    async function metric(name: string): Promise<number> {
      const text = await (await test.request('/metrics')).text();
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
    }

    it('answers 507 where nothing may go without a record, answers and counts where it may, and goes on when there is room', async () => {
      for (const model of ['strict', 'lenient']) expect((await ask(model)).status).toBe(200);
      // What is to be shipped is shipped, so that nothing else writes to the disk when it is full.
      await recorded('strict');
      await disk.fill();

      const refused = await ask('strict');
      expect(refused.status).toBe(507);
      expect(await refused.json()).toMatchObject({ title: 'storage-full' });
      expect(await metric('perennial_journal_refused_total')).toBe(ROWS);

      const dropped = await ask('lenient');
      expect(dropped.status).toBe(200);
      expect(await dropped.json()).toMatchObject({ model: 'lenient', version: 1 });
      expect(await metric('perennial_journal_dropped_total')).toBe(ROWS);

      await disk.clear();
      for (const model of ['strict', 'lenient']) {
        expect((await ask(model)).status).toBe(200);
        expect(await recorded(model)).toHaveLength(2 * ROWS);
      }
      expect(await metric('perennial_journal_refused_total')).toBe(ROWS);
      expect(await metric('perennial_journal_dropped_total')).toBe(ROWS);
    });

    it("keeps redacted columns out of the endpoint's records, and of no other's", async () => {
      await ask('lenient');
      await ask('strict');
      expect(Object.keys((await recorded('lenient'))[0]?.features ?? {})).toEqual(['pages']);
      expect(Object.keys((await recorded('strict'))[0]?.features ?? {})).toEqual(['pages', 'country']);
    });
  },
);
