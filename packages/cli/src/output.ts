import Table from 'cli-table3';

/** Where a command's result and its complaints go; a test reads them back. */
export interface Output {
  write: (text: string) => void;
  writeError: (text: string) => void;
  /** Whether a person watches, so that bars make sense. */
  interactive: boolean;
}

export const terminal: Output = {
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  interactive: process.stdout.isTTY === true && process.stderr.isTTY === true,
};

/** Writes rows as a plain table. */
export function writeTable(output: Output, head: string[], rows: (string | number | null)[][]): void {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push(row.map((cell) => (cell === null ? '–' : String(cell))));
  output.write(`${table.toString()}\n`);
}

export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, null, 2)}\n`);
}
