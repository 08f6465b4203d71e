import type { Journal } from '../journal/journal.ts';

/** Every record that the journal holds, oldest first. */
export async function readAll(journal: Journal): Promise<string[]> {
  const reader = journal.read();
  const records: string[] = [];
  for (let batch = await reader.next(100); batch !== undefined; batch = await reader.next(100))
    records.push(...batch.records);
  return records;
}
