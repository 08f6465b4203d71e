import { expect, it } from 'vitest';
import { loadConfig } from '../config/config.ts';
import { journalFolder, leftJournals, processConfig } from './process-config.ts';

const config = loadConfig({ PERENNIAL_HOME: '/home/p', PERENNIAL_PROCESSES: '3' }, {});

it('each process has a journal and models of its own, on the database of them all', () => {
  const of = (number: number) => processConfig(config, { number, databaseUrl: 'postgres://there/p' });
  expect(of(1)).toMatchObject({
    roles: ['server'],
    database: { kind: 'url', url: 'postgres://there/p' },
    journal: { folder: '/home/p/journal', durability: 'disk' },
    servingFolder: '/home/p/serving',
  });
  expect(of(3)).toMatchObject({
    journal: { folder: '/home/p/journal-3' },
    servingFolder: '/home/p/serving-3',
  });
  expect(of(2).signing).toEqual(config.signing);
});

it('journals that nobody writes are those beyond the number of processes', () => {
  const names = [
    'journal',
    'journal-2',
    'journal-10',
    'journal-3',
    'journal-1',
    'journal-02',
    'journal-x',
    'serving-4',
  ];
  expect(leftJournals(names, 1)).toEqual([2, 3, 10]);
  expect(leftJournals(names, 3)).toEqual([10]);
  expect(leftJournals(names, 64)).toEqual([]);
  expect(journalFolder(config, 10)).toBe('/home/p/journal-10');
});
