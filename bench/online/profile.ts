import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOf } from './measure.ts';
import { startRealServer } from './real-server.ts';

/**
 * What a request of one row costs, by part: runs the server under `--cpu-prof`, sends requests, and adds up the profile's samples by file. Arguments: connections (32), seconds
 * (5), durability (none).
 */
const [connections = '32', seconds = '5', durability = 'none'] = process.argv.slice(2);

interface Profile {
  nodes: {
    id: number;
    callFrame: { functionName: string; url: string; lineNumber: number };
    children?: number[];
  }[];
  samples: number[];
  timeDeltas: number[];
  /** Microseconds of the system's steady clock, which `process.hrtime` reads too. */
  startTime: number;
}

const steadyMicroseconds = () => Number(process.hrtime.bigint() / 1_000n);

const folder = await mkdtemp(join(tmpdir(), 'perennial-profile-'));
const server = await startRealServer({
  variables: { PERENNIAL_DURABILITY: durability },
  nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'],
});
const plan = { connections: Number(connections), seconds: Number(seconds) };
// The start of the process and its first second are left out: they compile.
await loadOf(server, { ...plan, seconds: 1 });
const from = steadyMicroseconds();
const result = await loadOf(server, plan);
const until = steadyMicroseconds();
await server.close();
// The load's own warm-up second is in the profile too.
const requests = result.requests * (1 + 1 / Number(seconds));
console.log(`${result.perSecond.toFixed(0)} requests a second; profile in ${folder}`);

for (const file of (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'))) {
  const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile;
  report(profile, requests);
}

function report({ nodes, samples, timeDeltas, startTime }: Profile, divisor: number): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const byFile = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let now = startTime;
  samples.forEach((id, i) => {
    const frame = byId.get(id)?.callFrame;
    now += timeDeltas[i] ?? 0;
    if (frame === undefined || now < from || now > until) return;
    const file = frame.url.replace(/^.*\/(node_modules|packages)\//, '') || '(native)';
    const name = `${file}:${frame.functionName || '(anonymous)'}:${frame.lineNumber + 1}`;
    const time = timeDeltas[i] ?? 0;
    byFile.set(file, (byFile.get(file) ?? 0) + time);
    byFunction.set(name, (byFunction.get(name) ?? 0) + time);
  });
  for (const [title, times] of [
    ['file', byFile],
    ['function', byFunction],
  ] as const) {
    console.log(`microseconds a request, by ${title}`);
    const sorted = [...times].sort((a, b) => b[1] - a[1]).slice(0, 45);
    for (const [name, time] of sorted) console.log(`${(time / divisor).toFixed(2).padStart(8)}  ${name}`);
  }
}
