import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** Records that the database refuses for good: kept beside the journal, one a line, for a person to look at. */
export class RejectsFile {
  readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, 'refused.jsonl');
  }

  /** Adds a record; on disk when it resolves. */
  async add(record: string): Promise<void> {
    const handle = await open(this.path, 'a', 0o600);
    try {
      await handle.appendFile(`${record}\n`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }
}
