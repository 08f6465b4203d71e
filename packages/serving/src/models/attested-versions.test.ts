import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AttestationInvalidError } from '@perennial/registry/attestation';
import { sealVersion, testSigning } from '@perennial/registry/testing';
import { ServedPlatform } from '../testing/served-platform.ts';
import { addingArtifact } from '../testing/adding-artifact.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { AttestedVersions, type VersionEvidence } from './attested-versions.ts';

/** A platform whose model `m` has version 1 as its champion, approved and signed. */
async function promoted(folder?: string): Promise<ServedPlatform> {
  const platform = await ServedPlatform.start(folder === undefined ? {} : { folder });
  platform.promote('m', 1);
  await platform.table.refresh();
  return platform;
}

async function answer(platform: ServedPlatform): Promise<number> {
  const { version } = await platform.service.predict({ model: 'm', request: { instances: [{ x: 1 }] } });
  return version;
}

function evidenceOf(platform: ServedPlatform, version = 1): VersionEvidence {
  const found = platform.evidence.get(`m@${version}`);
  if (found === undefined) throw new Error(`Nothing is on record of version ${version}.`);
  return found;
}

/** The text with one character exchanged for another of the same kind, so that it stays a digest, a name or base64. */
function flip(text: string, at: number): string {
  const place = at % text.length;
  const other = text[place] === 'a' ? 'b' : 'a';
  return `${text.slice(0, place)}${other}${text.slice(place + 1)}`;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a version that was approved and signed', () => {
  test('is served', async () => {
    const platform = await promoted();
    expect(await answer(platform)).toBe(1);
    expect(platform.models.refused()).toEqual([]);
    expect(platform.models.counters.refusals).toBe(0);
  });

  test('is served while the database is away, by what was kept of it', async () => {
    const folder = await temporaryFolder();
    const first = await promoted(folder);
    await answer(first);
    await first.close();

    const later = await ServedPlatform.start({ folder, reachable: false, signing: first.signing });
    expect(await answer(later)).toBe(1);
  });

  test('is served when the database does not answer in time, and asked for anew each time it is loaded', async () => {
    const folder = await temporaryFolder();
    const { evidence, signing } = await promoted();
    const found = evidence.get('m@1') as VersionEvidence;
    let asked = 0;
    const hanging = () => (asked++ === 0 ? Promise.resolve(found) : new Promise<never>(() => undefined));
    const versions = await AttestedVersions.open({
      folder,
      load: hanging,
      trusted: signing.trusted,
      delay: (_, signal) => (asked > 1 ? Promise.resolve() : untilAborted(signal)),
    });
    const champion = { ...found.digests, asOf: '2001-03-04T00:00:00.000Z', revision: 1 };
    const statement = await versions.verify('m', champion);
    expect(await versions.verify('m', champion)).toEqual(statement);
    expect(asked).toBe(2);
  });

  test('is forgotten on the disk when it is champion no more', async () => {
    const platform = await promoted();
    await answer(platform);
    platform.promote('m', 2);
    await platform.table.refresh();
    await until(() => platform.swaps.includes(2));
    await platform.close();
    expect(await readdir(join(platform.folder, 'attestations'))).toEqual(['m@2.json']);
  });
});

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

describe('a flipped byte', () => {
  test('anywhere on record refuses to load', async () => {
    const platform = await promoted();
    const good = evidenceOf(platform);
    const fields = ['artifact', 'signature', 'card'] as const;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...fields), fc.integer({ min: 7, max: 70 }), async (field, at) => {
        const digests = { ...good.digests, [field]: flip(good.digests[field], at) };
        expect(await isRefused(platform, { digests, envelope: good.envelope })).toBe(true);
      }),
      { numRuns: 60 },
    );
    for (const digests of [
      { ...good.digests, gateReport: good.digests.card },
      { ...good.digests, dataset: good.digests.card },
    ])
      expect(await isRefused(platform, { digests, envelope: good.envelope })).toBe(true);
    expect(await isRefused(platform, good)).toBe(false);
  });

  test('anywhere in the envelope refuses to load', async () => {
    const platform = await promoted();
    const good = evidenceOf(platform);
    const bytes = Buffer.from(JSON.stringify(good.envelope));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ change;
        expect(await isRefused(platform, { ...good, envelope: parse(flipped) })).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(await isRefused(platform, good)).toBe(false);
  });

  test('anywhere in the artifact refuses to load, in the store and in the cache', async () => {
    const platform = await promoted();
    const [[digest, bytes] = ['', new Uint8Array()]] = platform.stored;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const flipped = Uint8Array.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ change;
        platform.stored.set(digest, flipped);
        await writeFile(join(platform.folder, 'artifacts', digest.slice('sha256:'.length)), flipped);
        await expect(platform.models.hold('m')).rejects.toThrow(/other content than its digest/);
      }),
      { numRuns: 100 },
    );
    platform.stored.set(digest, bytes);
    expect(await answer(platform)).toBe(1);
  });

  test('anywhere in what is kept on the disk refuses to load while the database is away', async () => {
    const folder = await temporaryFolder();
    const first = await promoted(folder);
    await answer(first);
    await first.close();
    const path = join(folder, 'attestations', 'm@1.json');
    const good = await readFile(path);
    const { signing } = first;
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const flipped = Buffer.from(good);
        flipped[at] = (flipped[at] ?? 0) ^ change;
        await writeFile(path, flipped);
        expect(await isRefusedOffline({ folder, signing })).toBe(true);
      }),
      { numRuns: 60 },
    );
    await writeFile(path, good);
    expect(await isRefusedOffline({ folder, signing })).toBe(false);
  });

  test('in the snapshot of the champions refuses to load', async () => {
    const folder = await temporaryFolder();
    const first = await promoted(folder);
    await answer(first);
    first.promote('m', 2);
    await first.table.refresh();
    await until(() => first.swaps.includes(2));
    await first.close();
    const path = join(folder, 'champions.json');
    const good = await readFile(path, 'utf8');
    for (const tampered of [
      good.replace('"version":2', '"version":1'),
      good.replace(addingArtifact(2).digest, addingArtifact(1).digest),
    ]) {
      expect(tampered).not.toBe(good);
      await writeFile(path, tampered);
      expect(await isRefusedOffline({ folder, signing: first.signing })).toBe(true);
    }
    await writeFile(path, good);
    expect(await isRefusedOffline({ folder, signing: first.signing })).toBe(false);
  });
});

describe('a champion that nobody has approved', () => {
  test('is refused: no attestation, one of another version, one of another key', async () => {
    const platform = await promoted();
    const good = evidenceOf(platform);
    platform.promote('m', 2);
    const other = evidenceOf(platform, 2);
    platform.promote('m', 1);
    for (const envelope of [null, other.envelope, sealVersion(good.digests, testSigning())])
      expect(await isRefused(platform, { ...good, envelope })).toBe(true);
  });

  test('leaves the version before it serving, is counted, and is told of until it is put right', async () => {
    const platform = await promoted();
    await answer(platform);
    platform.promote('m', 2);
    const good = evidenceOf(platform, 2);
    platform.evidence.set('m@2', { ...good, envelope: null });
    await platform.table.refresh();
    await until(() => platform.problems.length > 0);
    expect(platform.problems).toMatchObject([{ code: 'signature-invalid', model: 'm', version: 2 }]);
    expect(platform.models.refused()).toMatchObject([{ model: 'm', version: 2 }]);
    expect(platform.models.counters.refusals).toBe(1);
    expect(await answer(platform)).toBe(1);

    platform.evidence.set('m@2', good);
    await platform.table.refresh();
    await until(() => platform.swaps.includes(2));
    expect(await answer(platform)).toBe(2);
    expect(platform.models.refused()).toEqual([]);
  });

  test('is asked about once between two loads of the table, however many requests there are', async () => {
    const platform = await promoted();
    platform.evidence.set('m@1', { ...evidenceOf(platform), envelope: null });
    for (let request = 0; request < 5; request++)
      await expect(answer(platform)).rejects.toThrow(AttestationInvalidError);
    expect(platform.models.counters.refusals).toBe(1);
    await platform.table.refresh();
    await expect(answer(platform)).rejects.toThrow(AttestationInvalidError);
    expect(platform.models.counters.refusals).toBe(2);
  });

  test('is refused when the file takes or gives something else than was approved', async () => {
    const platform = await promoted();
    const { digests } = evidenceOf(platform);
    const approved = { ...digests, signature: digests.card };
    const envelope = sealVersion(approved, platform.signing);
    platform.evidence.set('m@1', { digests: approved, envelope });
    await expect(answer(platform)).rejects.toThrow("its file's signature is not the one");
  });

  test('does not become a path elsewhere by its name', async () => {
    const { signing } = await promoted();
    const name = '../../elsewhere';
    const digests = {
      model: name,
      version: 1,
      artifact: addingArtifact(1).digest,
      signature: '',
      card: '',
      gateReport: null,
      dataset: null,
    };
    const versions = await AttestedVersions.open({
      folder: await temporaryFolder(),
      load: async () => ({ digests, envelope: sealVersion(digests, signing) }),
      trusted: signing.trusted,
    });
    const champion = {
      version: 1,
      artifact: digests.artifact,
      asOf: '2001-03-04T00:00:00.000Z',
      revision: 1,
    };
    await expect(versions.verify(name, champion)).rejects.toThrow();
  });
});

/** Whether the champion is refused with that on record of it. */
async function isRefused(platform: ServedPlatform, evidence: VersionEvidence): Promise<boolean> {
  const versions = await AttestedVersions.open({
    folder: join(platform.folder, 'tried'),
    load: async () => evidence,
    trusted: platform.signing.trusted,
  });
  const champion = platform.table.find('m');
  if (!champion) throw new Error('The model has no champion.');
  return refuses(() => versions.verify('m', champion));
}

/** Whether a server that starts without the database refuses the champion. */
async function isRefusedOffline(options: Pick<ServedPlatform, 'folder' | 'signing'>): Promise<boolean> {
  const platform = await ServedPlatform.start({ ...options, reachable: false });
  try {
    return await refuses(async () => (await platform.models.hold('m')).release());
  } finally {
    await platform.close();
  }
}

/** A refusal is of the attestation, or of a file that cannot be understood, which leaves the database to be asked. */
async function refuses(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    const { code } = error as { code?: string };
    expect(['signature-invalid', 'unavailable']).toContain(code);
    return true;
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
