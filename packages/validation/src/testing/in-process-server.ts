import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatId, IdGenerator, ManualClock, type PredictResponse } from '@perennial/contract';
import { InferenceModel, type ColumnBatch } from '@perennial/onnx';
import type { StartArtifactServer } from '../checks/served/artifact-server.ts';

/**
 * Serves a binary model of numeric columns over HTTP within the test's own process. What production serves with is not to be had here, since
 * validation must not know it; it is examined where it lives.
 */
export const startInProcess: StartArtifactServer = async ({ file, model: name }) => {
  const model = await InferenceModel.load(await readFile(file));
  const server = createServer((request, response) => {
    void answer(request, { model, name }).then((body) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    });
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    token: 'unguarded',
    lastLines: () => [],
    residentBytes: () => Promise.resolve(process.memoryUsage.rss()),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await model.release();
    },
  };
};

const ids = new IdGenerator(new ManualClock('2001-01-01T00:00:00Z'));

async function answer(
  request: IncomingMessage,
  { model, name }: { model: InferenceModel; name: string },
): Promise<PredictResponse> {
  const { instances } = JSON.parse(await textOf(request)) as { instances: Record<string, number | null>[] };
  const columns: ColumnBatch['columns'] = {};
  for (const input of model.signature.inputs)
    columns[input.name] = Float64Array.from(instances, (instance) => instance[input.name] ?? NaN);
  const output = await model.run({ rows: instances.length, columns });
  if (output.kind !== 'binary') throw new TypeError('Only binary models are served here.');
  return {
    model: name,
    version: 1,
    predictions: instances.map((_, row) => ({
      id: formatId('prediction', ids.next()),
      output: { probability: output.probability[row]!, decision: output.decision[row] === 1 },
      mode: 'live',
    })),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
