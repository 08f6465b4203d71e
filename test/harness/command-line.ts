import { main } from '@perennial/cli';

/** What a command line wrote, and how it ended. */
export interface Outcome {
  status: number;
  out: string;
  errors: string;
}

/** Runs `perennial …` in this process. */
export async function perennial(...words: string[]): Promise<Outcome> {
  let out = '';
  let errors = '';
  const status = await main(['node', 'perennial', ...words], {
    write: (text) => (out += text),
    writeError: (text) => (errors += text),
    interactive: false,
  });
  return { status, out, errors };
}
