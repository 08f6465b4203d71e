import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The least that Node.js can answer with: parses the JSON and answers a constant of the size of a prediction. Judged against it, what is measured does not hang on the machine. */
const ANSWER = JSON.stringify({
  model: 'bench',
  version: 1,
  predictions: [
    {
      id: 'pred_00000000-0000-7000-8000-000000000000',
      output: { probability: 0.5123456716537476, decision: true },
      mode: 'live',
    },
  ],
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
