import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Every bench, in the order they run: one after another and each in its own process, so that none slows another. */
const BENCHES = ['gate-bootstrap', 'lineage', 'audit', 'signing', 'batch'];

for (const bench of BENCHES) {
  console.log(`--- ${bench}`);
  const file = fileURLToPath(new URL(`./${bench}.js`, import.meta.url));
  const { status } = spawnSync(process.execPath, [file, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
