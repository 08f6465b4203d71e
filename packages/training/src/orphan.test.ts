import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Flights } from './testing/flights.ts';

let flights: Flights;
beforeAll(async () => {
  flights = await Flights.create();
});
afterAll(() => flights.remove());

describe('a training process whose parent is killed', () => {
  it('ends too, instead of training on for nobody', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // The training holds a connection open for as long as it lives, by which its end is noticed.
    const job = await flights.customJob(`async () => {
      const { connect } = await import('node:net');
      connect(${port}, '127.0.0.1');
      return new Promise(() => {});
    }`);
    const jobFile = join(flights.folder, 'job.json');
    await writeFile(jobFile, JSON.stringify(job));
    const script = `import { readFileSync } from 'node:fs';
      import { train } from '@perennial/training';
      await train(JSON.parse(readFileSync(${JSON.stringify(jobFile)}, 'utf8')));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      stdio: 'ignore',
    });
    const [socket] = (await once(server, 'connection')) as [Socket];
    // A process that ends without closing its socket resets it, which is an end like any other here.
    const ended = new Promise<string>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', () => resolve('ended'));
      socket.resume();
    });
    parent.kill('SIGKILL');
    expect(await ended).toBe('ended');
    server.close();
  });
});
