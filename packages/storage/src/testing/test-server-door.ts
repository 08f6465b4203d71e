import { createServer, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { startTestServer, type TestServer } from './test-server.ts';

/** What a test process is told when it knocks. */
export type TestServerNote = Pick<TestServer, 'address' | 'template'>;

/**
 * Where test processes ask for the test server: a socket in the process that runs them all, which starts the server at the first knock. So a run without
 * database tests starts none, several processes share one, and it ends with the run.
 */
export interface TestServerDoor {
  path: string;
  close(): Promise<void>;
}

export async function openDoor(path: string, url: string | undefined): Promise<TestServerDoor> {
  let server: Promise<TestServer> | undefined;
  const door = createServer((socket) => {
    // A test process that goes away without listening is no concern of the others.
    socket.on('error', () => undefined);
    server ??= startTestServer(url);
    server.then(
      ({ address, template }) => socket.end(JSON.stringify({ address, template })),
      (error: unknown) => socket.end(JSON.stringify({ error: String(error) })),
    );
  });
  await new Promise<void>((resolve, reject) => door.on('error', reject).listen(path, resolve));
  return {
    path,
    close: async () => {
      await new Promise((resolve) => door.close(resolve));
      await (await server?.catch(() => undefined))?.stop();
    },
  };
}

export async function knock(path: string): Promise<TestServerNote> {
  const answer = JSON.parse(await text(connect(path))) as
    { error: string } | (TestServerNote & { error?: never });
  if (answer.error !== undefined) throw new Error(`The test server did not start: ${answer.error}`);
  return { address: answer.address, template: answer.template };
}
