import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FileLineage, PredictionLineage } from '@perennial/contract';
import { perennial } from '../testing/command-line.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const PREDICTION = 'pred_0190f2a0-0000-7000-8000-000000000001';

const FILE: FileLineage = {
  digest: digest('f'),
  names: ['visits.csv'],
  datasets: [{ digest: digest('d'), pipeline: 'visits', asOf: '2001-03-01T00:00:00.000Z' }],
  versions: [
    { model: 'visits', version: 1, inherited: false, aliases: [] },
    { model: 'visits', version: 2, inherited: true, aliases: ['champion'] },
  ],
};

const MADE: PredictionLineage = {
  prediction: PREDICTION,
  at: '2001-03-02T00:00:00.000Z',
  model: 'visits',
  version: 2,
  artifact: digest('a'),
  lineage: {
    kind: 'run',
    run: 'run_0190f2a0-0000-7000-8000-000000000002',
    pipeline: 'visits',
    codeDigest: digest('c'),
    dataset: digest('d'),
    warmStartedFrom: digest('b'),
    backend: 'cpu',
    device: 'cpu',
    seed: 1,
    platformVersion: '0.1.0',
  },
  release: 'rel_0190f2a0-0000-7000-8000-000000000003',
  dataset: {
    digest: digest('d'),
    pipeline: 'visits',
    asOf: '2001-03-01T00:00:00.000Z',
    files: [{ name: 'visits.csv', bytes: 12, digest: digest('f') }],
  },
  ancestors: [{ model: 'visits', version: 1, artifact: digest('b') }],
};

/** A platform that has this one answer. */
let server: Server;
let answer: FileLineage | PredictionLineage = FILE;
let asked: string[] = [];
let url: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-lineage-'));
  server = createServer((request, response) => {
    asked.push(decodeURIComponent(request.url ?? ''));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  answer = FILE;
  asked = [];
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('perennial lineage', () => {
  it('hashes a file of this machine and asks for its digest', async () => {
    const path = join(folder, 'visits.csv');
    await writeFile(path, 'at,pages\n');
    const { status, out } = await perennial('lineage', path, '--url', url);
    expect(status).toBe(0);
    expect(asked).toEqual([
      `/v1/files/sha256:${createHash('sha256').update('at,pages\n').digest('hex')}/lineage`,
    ]);
    expect(out).toMatch(/visits@1 │ trained on it/);
    expect(out).toMatch(/visits@2 │ by warm start │ champion/);
  });

  it('asks for a digest as it is, and says when nothing was made from it', async () => {
    answer = { digest: digest('9'), names: [], datasets: [], versions: [] };
    const { out } = await perennial('lineage', digest('9'), '--url', url);
    expect(asked).toEqual([`/v1/files/${digest('9')}/lineage`]);
    expect(out).toBe(`${digest('9')}\nNo dataset version was made from it.\n`);
  });

  it('leads from a prediction back to its files', async () => {
    answer = MADE;
    const { out } = await perennial('lineage', PREDICTION, '--url', url);
    expect(asked).toEqual([`/v1/predictions/${PREDICTION}/lineage`]);
    for (const words of ['visits@2', MADE.release, 'warm-started from visits@1', 'visits.csv', digest('f')])
      expect(out).toContain(words);
  });

  it('says of a version that was made elsewhere that nothing is known', async () => {
    const lineage = {
      kind: 'imported',
      by: 'ada',
      producer: '',
      note: '',
      platformVersion: '0.1.0',
    } as const;
    answer = { ...MADE, lineage, release: null, dataset: null, ancestors: [] };
    const { out } = await perennial('lineage', PREDICTION, '--url', url);
    expect(out).toContain('registered by     ada; it was made elsewhere');
    expect(out).toContain('dataset version   not known');
    expect(out).toContain('in production by  no release');
  });

  it('prints JSON', async () => {
    const { out } = await perennial('lineage', digest('f'), '--json', '--url', url);
    expect(JSON.parse(out)).toEqual(FILE);
  });

  it('refuses what is neither a prediction, a digest nor a file', async () => {
    const { status, errors } = await perennial('lineage', join(folder, 'nowhere.csv'), '--url', url);
    expect(status).toBe(2);
    expect(errors).toContain('is no prediction (pred_…), no digest (sha256:…), and no file: ENOENT');
    expect(asked).toEqual([]);
  });
});
