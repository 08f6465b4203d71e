import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { generateLoad } from './generate-load.ts';
import type { LoadOptions } from './load.ts';

const USAGE = `node bench/dist/load/main.js --url http://127.0.0.1:8080 --path /v1/models/m/predict
  --body '{"instances":[{"x":1}]}'    or --body-file FILE; without either: GET
  --header 'authorization: Bearer …'  as often as needed
  --connections 32 --seconds 10 [--warmup 2]
  [--rate 5000]                       open loop: so many requests a second, timed from when they were due
Prints one JSON object: requests, errors by status, perSecond, goodPerSecond, p50, p90, p99, p999, max (ms), byStatus, lateP99.
`;

function optionsFromArguments(): LoadOptions {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      path: { type: 'string', default: '/' },
      method: { type: 'string' },
      body: { type: 'string' },
      'body-file': { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      connections: { type: 'string', default: '32' },
      seconds: { type: 'string', default: '10' },
      warmup: { type: 'string', default: '0' },
      rate: { type: 'string' },
    },
  });
  if (values.url === undefined) throw new Error('--url is needed');
  const file = values['body-file'];
  const body = file === undefined ? values.body : readFileSync(file, 'utf8');
  return {
    url: values.url,
    path: values.path,
    headers: Object.fromEntries([...jsonType(body), ...values.header.map(headerOf)]),
    connections: Number(values.connections),
    durationSeconds: Number(values.seconds),
    warmupSeconds: Number(values.warmup),
    ...(values.method === undefined ? {} : { method: values.method }),
    ...(body === undefined ? {} : { body }),
    ...(values.rate === undefined ? {} : { rate: Number(values.rate) }),
  };
}

const jsonType = (body: string | undefined): [string, string][] =>
  body === undefined ? [] : [['content-type', 'application/json']];

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}

try {
  const options = process.argv.includes('--stdin')
    ? (JSON.parse(await text(process.stdin)) as LoadOptions)
    : optionsFromArguments();
  process.stdout.write(`${JSON.stringify(await generateLoad(options))}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
}
