import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { announcementSchema, assignmentSchema } from './assignment.ts';

/**
 * The process that serves one artifact: reads its assignment from standard input, announces its address on standard output, and ends when standard input
 * does, which is when whoever started it is done or gone. It removes its working folder itself, since the other may be gone.
 */
let workFolder: string | undefined;
// At once: it takes a second, and the assignment may be long in coming. What fails here fails there as well.
void import('./serve-artifact.ts').catch(() => undefined);
const input = createInterface({ input: process.stdin });
input.once('line', (line) => void serve(line));
input.once('close', () => {
  if (workFolder !== undefined) rmSync(workFolder, { recursive: true, force: true });
  process.exit(0);
});

async function serve(line: string): Promise<void> {
  try {
    const assignment = assignmentSchema.parse(JSON.parse(line));
    workFolder = assignment.folder;
    const { serveArtifact } = await import('./serve-artifact.ts');
    const announcement = announcementSchema.parse(await serveArtifact(assignment));
    process.stdout.write(`${JSON.stringify(announcement)}\n`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
