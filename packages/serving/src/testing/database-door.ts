import { rm } from 'node:fs/promises';
import {
  connect,
  createServer,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { connectionOptions, type DatabaseAddress } from '@perennial/storage';
import { temporaryFolder } from './temporary-folder.ts';

/** A way to a database that can be shut: connections are cut and new ones are refused, until it is opened again. */
export class DatabaseDoor {
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  /**
   * @param place - the socket to listen on; port 0 for any free port
   * @param target - the database's own
   */
  constructor(
    readonly place: { path: string } | { host: string; port: number },
    readonly target: NetConnectOpts,
  ) {}

  async open(): Promise<void> {
    const server = createServer((inside) => this.#join(inside, connect(this.target)));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.place, resolve));
    if ('port' in this.place) this.place.port = (server.address() as AddressInfo).port;
  }

  async shut(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await new Promise((resolve) => this.#server?.close(resolve));
    if ('path' in this.place) await rm(this.place.path, { force: true });
  }

  #join(inside: Socket, outside: Socket): void {
    for (const socket of [inside, outside]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        inside.destroy();
        outside.destroy();
        this.#sockets.delete(socket);
      });
    }
    inside.pipe(outside).pipe(inside);
  }
}

/** An open door to a database, and the address behind which it is reached through the door; shut when the test is over. */
export async function doorTo(
  address: DatabaseAddress,
): Promise<{ address: DatabaseAddress; door: DatabaseDoor }> {
  const target = connectionOptions(address);
  if ('connectionString' in target) return doorToUrl(new URL(target.connectionString));
  const folder = await temporaryFolder();
  const socket = `.s.PGSQL.${target.port}`;
  const door = new DatabaseDoor({ path: join(folder, socket) }, { path: join(target.host, socket) });
  await openForTest(door);
  const { port, user, database } = target;
  return { address: { connection: { folder, port, user, database } }, door };
}

async function doorToUrl(url: URL): Promise<{ address: DatabaseAddress; door: DatabaseDoor }> {
  const target = { host: url.hostname, port: Number(url.port || 5432) };
  const place = { host: '127.0.0.1', port: 0 };
  const door = new DatabaseDoor(place, target);
  await openForTest(door);
  url.hostname = place.host;
  url.port = String(place.port);
  return { address: { url: url.href }, door };
}

async function openForTest(door: DatabaseDoor): Promise<void> {
  await door.open();
  onTestFinished(() => door.shut());
}
