import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, vi } from 'vitest';
import { startServingPlatform } from '../testing/serving-platform.ts';

it('is ready for the models that it answers, and says why it is not for others', async () => {
  const test = await startServingPlatform();
  try {
    const ready = async (model: string) => {
      const response = await test.request(`/readyz?model=${model}`);
      return { status: response.status, body: await response.json() };
    };
    expect(await ready('churn')).toEqual({ status: 200, body: { model: 'churn', ready: true, version: 1 } });
    expect(await ready('nothing')).toMatchObject({
      status: 503,
      body: { ready: false, problem: expect.stringContaining('no model') as string },
    });
  } finally {
    await test.stop();
  }
});

it('stops in order: not ready, then no new requests, then the end of those under way, all of them on record', async () => {
  const test = await startServingPlatform();
  const { hostname, port } = new URL(test.platform.url);
  const body = JSON.stringify({ instances: [{ age: 10 }], keys: ['in-flight'] });
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(
    `POST /v1/models/churn/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  );
  const closed = test.platform.close();
  expect((await test.request('/readyz')).status).toBe(503);
  expect(await (await test.request('/readyz?model=churn')).json()).toMatchObject({ ready: false });
  await vi.waitFor(async () => expect(await refused(test.platform.url)).toBe(true), { timeout: 20_000 });
  socket.write(body.slice(5));
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
  const [row] = await test.database.sql<{ n: number }[]>`
    select count(*)::int as n from predictions where key = 'in-flight'`;
  expect(row?.n).toBe(1);
  await test.stop();
});

async function refused(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    () => false,
    () => true,
  );
}
