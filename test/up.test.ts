import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { passableHome } from '@perennial/storage/testing/home';
import { scratchFolder, writeFiles } from './harness/test-platform.ts';
import { UpProcess, lives } from './harness/up-process.ts';

let folder: string;
let remove: () => Promise<void>;
let processes: UpProcess[];
beforeEach(async () => {
  ({ folder, remove } = await scratchFolder());
  await writeFiles(folder, { 'pipelines/README.md': 'None yet.' });
  processes = [];
});
afterEach(async () => {
  for (const up of processes) up.signal('SIGTERM');
  await Promise.all(processes.map((up) => up.ended));
  await remove();
});

function start(): UpProcess {
  const up = new UpProcess('--home', join(folder, 'home'), '--pipelines', join(folder, 'pipelines'));
  processes.push(up);
  return up;
}

describe('perennial up', { timeout: 120_000 }, () => {
  it('says where it is and what it has loaded, and answers there', async () => {
    const up = start();
    const url = await up.url();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    up.signal('SIGINT');
    expect(await up.ended).toBe(0);
    expect(up.out).toContain('Pipelines: none');
  });

  it.skipIf(process.platform !== 'linux')(
    'stops at SIGTERM with everything it had started, its database included',
    async () => {
      const up = start();
      await up.url();
      const children = await up.children();
      expect(children.length).toBeGreaterThan(0);
      up.signal('SIGTERM');
      expect(await up.ended).toBe(0);
      expect(children.filter(lives)).toEqual([]);
      expect(up.out).toMatch(/Stopping…\n$/);
      expect(up.errors).not.toMatch(/"level":(50|60)/);
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'stops as cleanly when the signal comes before it is up',
    async () => {
      const up = start();
      let children: number[] = [];
      while (children.length === 0) children = await up.children();
      up.signal('SIGTERM');
      expect(await up.ended).toBe(0);
      expect(children.filter(lives)).toEqual([]);
    },
  );

  it('is refused a home that another one uses, in a sentence, and starts there once that one is gone', async () => {
    const first = start();
    await first.url();
    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.errors).toMatch(
      /perennial: The folder \S+ is in use by process \d+ on \S+\. Stop it first, or use another folder\./,
    );
    expect(second.errors).not.toMatch(/\n\s+at /);
    expect((await fetch(`${await first.url()}/readyz`)).status).toBe(200);
    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
    await start().url();
  });

  it('says in a sentence that a port is taken', async () => {
    const first = start();
    const { port } = new URL(await first.url());
    const second = new UpProcess('--home', await passableHome(folder, 'other'), '--port', port);
    expect(await second.ended).toBe(1);
    expect(second.errors).toContain(
      `perennial: Cannot listen on 127.0.0.1:${port}: another process listens there already.`,
    );
  });
});
