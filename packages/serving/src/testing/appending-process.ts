import { writeSync } from 'node:fs';
import { Journal } from '../journal/journal.ts';
import { makeRecords, predictionMaker } from './records.ts';

/**
 * A process for being killed: appends to the journal of the folder it is given, many at once and without end, and prints the id of every
 * record after it was acknowledged.
 */
const [folder = '', segmentBytes = ''] = process.argv.slice(2);
const journal = await Journal.open({ folder, segmentBytes: Number(segmentBytes) });
const make = predictionMaker();

async function appendForEver(): Promise<never> {
  for (;;) {
    const records = makeRecords(1 + (journal.counters.appends % 3), make);
    await journal.append(records);
    const ids = records.map((record) => (JSON.parse(record) as { id: string }).id);
    // Synchronously: what was printed was acknowledged, also when the process is killed in the next instant.
    writeSync(1, `${ids.join('\n')}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));
