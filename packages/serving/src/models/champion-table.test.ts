import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Delay } from '../waiting/delay.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { ChampionTable, type ChampionTableOptions } from './champion-table.ts';
import type { Champion } from './champion.ts';

function champion(model: string, version: number, revision = version): Champion {
  const artifact = `sha256:${String(version).padStart(64, '0')}`;
  return { model, champion: { version, artifact, asOf: '2001-03-04T00:00:00.000Z', revision } };
}

/** A source of champions that can be away, and tells its listeners when they should look. */
class Source {
  champions: Champion[];
  reachable = true;
  readonly #handlers = new Set<(model: string | null) => void>();
  /** What each load asked for. */
  readonly asked: (readonly string[] | null)[] = [];
  unsubscribed = 0;
  loads = 0;

  constructor(...champions: Champion[]) {
    this.champions = champions;
  }

  readonly loadChampions = async (models: readonly string[] | null) => {
    this.loads++;
    this.asked.push(models);
    if (!this.reachable) throw new Error('The database is away.');
    return this.champions.filter(({ model }) => models === null || models.includes(model));
  };

  readonly subscribe = async (handler: (model: string | null) => void) => {
    if (!this.reachable) throw new Error('The database is away.');
    this.#handlers.add(handler);
    return async () => {
      this.#handlers.delete(handler);
      this.unsubscribed++;
    };
  };

  notify(model: string | null = null): void {
    for (const handler of this.#handlers) handler(model);
  }
}

/** Polls that come when the test says so. */
function manualPolls(): { delay: Delay; poll: () => void } {
  let due: () => void = () => undefined;
  const delay: Delay = (_, signal) =>
    new Promise((resolve) => {
      due = resolve;
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
  return { delay, poll: () => due() };
}

async function openTable(
  source: Source,
  options: Partial<ChampionTableOptions> = {},
): Promise<ChampionTable> {
  const table = await ChampionTable.open({
    snapshotFile: join(await temporaryFolder(), 'champions.json'),
    loadChampions: source.loadChampions,
    subscribe: source.subscribe,
    delay: manualPolls().delay,
    ...options,
  });
  onTestFinished(() => table.close());
  return table;
}

function nextLoad(table: ChampionTable): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = table.onLoaded(() => {
      unsubscribe();
      resolve();
    });
  });
}

describe('the champion table', () => {
  test('knows champions, models without one, and what is no model', async () => {
    const table = await openTable(new Source(champion('a', 3), { model: 'b', champion: null }));
    expect(table.find('a')?.version).toBe(3);
    expect(table.find('b')).toBeNull();
    expect(table.find('c')).toBeUndefined();
    expect(table.list()).toHaveLength(2);
  });

  test('follows a notification', async () => {
    const source = new Source(champion('a', 1));
    const table = await openTable(source);
    source.champions = [champion('a', 2)];
    const loaded = nextLoad(table);
    source.notify();
    await loaded;
    expect(table.find('a')?.version).toBe(2);
  });

  test('loads only the model that a notification names, and forgets it when it is gone', async () => {
    const source = new Source(champion('a', 1), champion('b', 1));
    const table = await openTable(source);
    source.champions = [champion('a', 2), champion('b', 2)];
    const loaded = nextLoad(table);
    source.notify('a');
    await loaded;
    expect(table.list().map((one) => [one.model, one.champion?.version])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    source.champions = [];
    const gone = nextLoad(table);
    source.notify('a');
    await gone;
    expect(table.find('a')).toBeUndefined();
    expect(table.find('b')?.version).toBe(1);
    expect(source.asked).toEqual([null, ['a'], ['a']]);
  });

  test('loads everything when it could not load what a notification named', async () => {
    const source = new Source(champion('a', 1), champion('b', 1));
    let reported: () => void = () => undefined;
    const problem = new Promise<void>((resolve) => (reported = resolve));
    const table = await openTable(source, { onProblem: () => reported() });
    source.reachable = false;
    source.notify('a');
    await problem;
    source.reachable = true;
    source.champions = [champion('a', 2), champion('b', 2)];
    const loaded = nextLoad(table);
    source.notify('b');
    await loaded;
    expect(table.find('a')?.version).toBe(2);
  });

  test('loads everything from time to time, however much is announced', async () => {
    const source = new Source(champion('a', 1), champion('b', 1));
    const table = await openTable(source, { pollMilliseconds: 0 });
    const loaded = nextLoad(table);
    source.notify('a');
    await loaded;
    expect(source.asked).toEqual([null, null]);
  });

  test('finds out by polling what no notification told', async () => {
    const source = new Source(champion('a', 1));
    const { delay, poll } = manualPolls();
    const table = await openTable(source, { delay });
    source.champions = [champion('a', 2)];
    const loaded = nextLoad(table);
    poll();
    await loaded;
    expect(table.find('a')?.version).toBe(2);
  });

  test('keeps what it knows when a load fails, and reports it', async () => {
    const source = new Source(champion('a', 1));
    let reported: (error: unknown) => void = () => undefined;
    const problem = new Promise((resolve) => (reported = resolve));
    const table = await openTable(source, { onProblem: (error) => reported(error) });
    source.reachable = false;
    source.notify();
    expect(await problem).toMatchObject({ message: 'The database is away.' });
    expect(table.find('a')?.version).toBe(1);
  });

  test('does not go back to an older move that arrives late', async () => {
    const source = new Source(champion('a', 2, 7));
    const table = await openTable(source);
    source.champions = [champion('a', 1, 6)];
    await table.refresh();
    expect(table.find('a')?.version).toBe(2);
    source.champions = [champion('a', 1, 8)];
    await table.refresh();
    expect(table.find('a')?.version).toBe(1);
  });

  test('looks into the database for what it does not know, once for all that ask', async () => {
    const source = new Source();
    const table = await openTable(source);
    source.champions = [champion('a', 1), { model: 'b', champion: null }];
    source.loads = 0;
    const found = await Promise.all(['a', 'a', 'b', 'c'].map((model) => table.findOrLoad(model)));
    expect(found.map((one) => one?.version ?? one)).toEqual([1, 1, null, undefined]);
    expect(source.loads).toBe(1);
    await table.findOrLoad('a');
    expect(source.loads).toBe(1);
  });

  test('answers from what it has when the database is away', async () => {
    const source = new Source({ model: 'b', champion: null });
    const table = await openTable(source);
    source.reachable = false;
    expect(await table.findOrLoad('b')).toBeNull();
    expect(await table.findOrLoad('c')).toBeUndefined();
  });

  test('ends its subscription when it is closed', async () => {
    const source = new Source();
    await (await openTable(source)).close();
    expect(source.unsubscribed).toBe(1);
  });
});

describe('while the database is away', () => {
  test('a server starts from the snapshot of its last run, and listens once the database is back', async () => {
    const snapshotFile = join(await temporaryFolder(), 'champions.json');
    const source = new Source(champion('a', 5), { model: 'b', champion: null });
    await (await openTable(source, { snapshotFile })).close();

    source.reachable = false;
    const { delay, poll } = manualPolls();
    const table = await openTable(source, { snapshotFile, delay });
    expect(table.find('a')?.version).toBe(5);
    expect(table.find('b')).toBeNull();

    source.reachable = true;
    source.champions = [champion('a', 6)];
    const loaded = nextLoad(table);
    poll();
    await loaded;
    source.champions = [champion('a', 7)];
    const again = nextLoad(table);
    source.notify();
    await again;
    expect(table.find('a')?.version).toBe(7);
  });

  test.each(['', '{', '{"format":2,"champions":[]}'])('a snapshot that holds %j is none', async (text) => {
    const snapshotFile = join(await temporaryFolder(), 'champions.json');
    await writeFile(snapshotFile, text);
    const source = new Source();
    source.reachable = false;
    await expect(openTable(source, { snapshotFile })).rejects.toThrow('The database is away.');
  });

  test('the snapshot is written at every change', async () => {
    const snapshotFile = join(await temporaryFolder(), 'champions.json');
    const source = new Source(champion('a', 1));
    const table = await openTable(source, { snapshotFile });
    source.champions = [champion('a', 2)];
    await table.refresh();
    expect(JSON.parse(await readFile(snapshotFile, 'utf8'))).toEqual({
      format: 1,
      champions: [champion('a', 2)],
    });
  });
});
