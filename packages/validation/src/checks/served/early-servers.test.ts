import { expect, it } from 'vitest';
import type { RunningArtifactServer } from './artifact-server.ts';
import { EarlyServers } from './early-servers.ts';

/** Servers that are named by the order of their starts, and those that were closed. */
function starting() {
  const closed: string[] = [];
  let count = 0;
  const servers = new EarlyServers(({ file }) => {
    const name = `${file} ${++count}`;
    if (file === 'broken') return Promise.reject(new Error(name));
    const server: RunningArtifactServer = {
      url: name,
      token: '',
      residentBytes: () => Promise.resolve(0),
      lastLines: () => [],
      close: () => Promise.resolve(void closed.push(name)),
    };
    return Promise.resolve(server);
  });
  const urlOf = async (file: string) => (await servers.start({ file, model: 'm' })).url;
  return { servers, closed, urlOf, begin: (file: string) => servers.begin({ file, model: 'm' }) };
}

it('hands out a server that was begun once, and starts one where none was', async () => {
  const { begin, urlOf } = starting();
  begin('a');
  begin('a');
  begin('b');
  expect(await urlOf('b')).toBe('b 2');
  expect(await urlOf('a')).toBe('a 1');
  expect(await urlOf('a')).toBe('a 3');
});

it('closes the servers that nobody asked for, and no others', async () => {
  const { servers, closed, begin, urlOf } = starting();
  begin('a');
  begin('b');
  await urlOf('a');
  await servers.close();
  expect(closed).toEqual(['b 2']);
});

it('tells of a server that did not start when it is asked for, and not before', async () => {
  const { servers, begin, urlOf } = starting();
  begin('broken');
  await new Promise(setImmediate);
  await expect(urlOf('broken')).rejects.toThrow('broken 1');
  begin('broken');
  await servers.close();
});
