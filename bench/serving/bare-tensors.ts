import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InferenceModel, type ColumnBatch } from '@perennial/onnx';

/**
 * What serving tensors takes at least: reads a request in bytes, runs the artifact, answers in bytes. Checks nothing, knows nobody, records nothing.
 *
 *     node bench/dist/serving/bare-tensors.js artifact.onnx
 *
 * Prints the port that it listens on.
 */
interface Header {
  inputs: { name: string; shape: number[]; parameters: { binary_data_size: number } }[];
}

const model = await InferenceModel.load(await readFile(process.argv[2] ?? ''));

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function readBatch(body: Buffer, headerLength: number): ColumnBatch {
  const { inputs } = JSON.parse(body.toString('utf8', 0, headerLength)) as Header;
  const columns: ColumnBatch['columns'] = {};
  let at = headerLength;
  for (const { name, parameters } of inputs) {
    const bytes = Uint8Array.prototype.slice.call(body, at, (at += parameters.binary_data_size));
    columns[name] = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  }
  return { rows: inputs[0]?.shape[0] ?? 0, columns };
}

async function answer(request: IncomingMessage): Promise<{ body: Buffer; headerLength: number }> {
  const length = Number(request.headers['inference-header-content-length']);
  const batch = readBatch(await bodyOf(request), length);
  const output = await model.run(batch);
  if (output.kind !== 'binary') throw new Error('The model is no binary classifier.');
  const { probability, decision } = output;
  const outputs = [
    {
      name: 'probability',
      datatype: 'FP32',
      shape: [batch.rows, 1],
      parameters: { binary_data_size: probability.byteLength },
    },
    {
      name: 'decision',
      datatype: 'BOOL',
      shape: [batch.rows, 1],
      parameters: { binary_data_size: decision.byteLength },
    },
  ];
  const head = Buffer.from(JSON.stringify({ model_name: 'bench', model_version: '1', outputs }));
  const bytes = [probability, decision].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return { body: Buffer.concat([head, ...bytes]), headerLength: head.length };
}

const server = createServer((request, response) => {
  void answer(request).then(({ body, headerLength }) => {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': body.length,
      'inference-header-content-length': headerLength,
    });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
