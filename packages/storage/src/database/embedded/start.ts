import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseAddressError, DatabaseError, EmbeddedPostgresError } from '../../errors.ts';
import { connectionOptions, socketUrl, type SocketConnection } from '../address.ts';
import { withConnection } from '../connection.ts';
import { findNativeFolder, usableBinaries, type Binaries } from './binaries.ts';
import { SERVER_USER, prepareDataFolder } from './data-folder.ts';
import { lockFolder } from './folder-lock.ts';
import { prepareFolders, SOCKET_PORT, SYSTEM_FOLDER, type Folders } from './folders.ts';
import { isServerOf, readPostmaster, type Postmaster } from './postmaster-file.ts';
import { serverAccount, type ServerAccount } from './server-account.ts';
import {
  serverSettings,
  spawnServer,
  stopServer,
  waitUntilReady,
  type ServerSettings,
} from './server-process.ts';

/** A PostgreSQL of our own on this machine, reachable through a Unix socket only. */
export interface EmbeddedPostgres {
  readonly connection: SocketConnection;
  /** The same in one text, for {@link openDatabase} in this process or another. */
  readonly url: string;
  /** Whether the server was found running, left over by a platform that was killed. */
  readonly adopted: boolean;
  /** The server's own process. */
  readonly pid: number;
  /** Where its data is; not in the folder that was asked for when root's folder is out of reach for the server. */
  readonly home: string;
  /** Stops the server and gives the folder back. Calling it again does nothing. */
  stop(): Promise<void>;
}

export interface StartEmbeddedPostgresOptions {
  /** Where the data is kept; made when it is not there. */
  folder: string;
  /** Told of what takes long or is out of the ordinary, one sentence at a time. */
  log?: (message: string) => void;
  /** Parameters of PostgreSQL that win over ours. */
  settings?: ServerSettings;
  /** Where root keeps what the server's user cannot reach elsewhere. @default '/var/lib/perennial' */
  systemFolder?: string;
  /** The folder `native` of a platform package. @default that of this platform */
  native?: string;
}

const DATABASE = 'perennial';

/** For five seconds. */
const CRASH_ATTEMPTS = 20;
const CRASH_PAUSE_MILLISECONDS = 250;

/**
 * Starts the embedded PostgreSQL of a folder: makes its data the first time, takes over a server that is still running there, and lets it outlive this
 * process, so that a killed platform loses nothing.
 * @throws FolderInUseError when another living platform uses the folder
 * @throws EmbeddedPostgresUnsupportedError when this machine cannot run it
 * @throws EmbeddedPostgresError when it does not start
 */
export async function startEmbeddedPostgres(
  options: StartEmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const systemFolder = options.systemFolder ?? SYSTEM_FOLDER;
  const account = await serverAccount();
  const folders = await prepareFolders(options.folder, { account, systemFolder });
  const lock = await lockFolder(folders.asked);
  try {
    const server = await adoptOrStart(folders, { ...options, systemFolder, account });
    const connection = socketConnection(server.postmaster);
    let stopping: Promise<void> | undefined;
    return {
      connection,
      url: socketUrl(connection),
      adopted: server.adopted,
      pid: server.postmaster.pid,
      home: folders.home,
      stop: () => (stopping ??= shutDown(folders, server.postmaster).finally(() => lock.release())),
    };
  } catch (error) {
    await rm(folders.socket, { recursive: true, force: true });
    await lock.release();
    throw error;
  }
}

interface RunningServer {
  postmaster: Postmaster;
  adopted: boolean;
}

function socketConnection({ socketFolder }: Postmaster): SocketConnection {
  return { folder: socketFolder, port: SOCKET_PORT, user: SERVER_USER, database: DATABASE };
}

async function shutDown(folders: Folders, { pid, socketFolder }: Postmaster): Promise<void> {
  await stopServer(folders, pid);
  await rm(socketFolder, { recursive: true, force: true });
}

interface StartContext extends StartEmbeddedPostgresOptions {
  systemFolder: string;
  account: ServerAccount | undefined;
}

async function adoptOrStart(folders: Folders, context: StartContext): Promise<RunningServer> {
  const found = await readPostmaster(folders.data);
  if (found === undefined) return startAnew(folders, context);
  if (await isServerOf(folders.data, found.pid)) {
    const adopted = await adopt(folders, found, context);
    if (adopted !== undefined) return adopted;
  }
  // PostgreSQL would refuse to start for as long as the pid in the left-over note is any process, even one that nobody waits for.
  await rm(join(folders.data, 'postmaster.pid'), { force: true });
  return startAfterCrash(folders, context);
}

/** Takes over the server that a killed platform left behind. One that does not answer is stopped, so that a new one can be started. */
async function adopt(
  folders: Folders,
  { pid }: Postmaster,
  { log }: StartContext,
): Promise<RunningServer | undefined> {
  try {
    const postmaster = await waitUntilReady(folders, async () => !(await isServerOf(folders.data, pid)));
    await ensureDatabase(socketConnection(postmaster));
    log?.(`Took over the PostgreSQL that was running in ${folders.home} (process ${pid}).`);
    return { postmaster, adopted: true };
  } catch (error) {
    log?.(
      `The PostgreSQL running in ${folders.home} (process ${pid}) does not answer and is stopped: ${String(error)}`,
    );
    await stopServer(folders, pid);
    return undefined;
  }
}

/** The processes of a killed server live on for a moment, and a new server refuses to start beside them. */
async function startAfterCrash(folders: Folders, context: StartContext): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startAnew(folders, context);
    } catch (error) {
      if (!(error instanceof EmbeddedPostgresError) || attempt >= CRASH_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, CRASH_PAUSE_MILLISECONDS));
    }
  }
}

async function startAnew(folders: Folders, context: StartContext): Promise<RunningServer> {
  const { account } = context;
  const { binaries, major } = await findBinaries(folders, context);
  const isNew = await prepareDataFolder(folders, { binaries, account, major });
  const settings = serverSettings(folders, context.settings ?? {});
  const child = await spawnServer(folders, { binaries, account, settings });
  try {
    const isGone = async () =>
      child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    const postmaster = await waitUntilReady(folders, isGone);
    if (isNew) await createDatabase(socketConnection(postmaster));
    await ensureDatabase(socketConnection(postmaster));
    return { postmaster, adopted: false };
  } catch (error) {
    if (child.pid !== undefined) await stopServer(folders, child.pid);
    throw error;
  }
}

async function findBinaries(
  folders: Folders,
  { native, systemFolder, account }: StartContext,
): Promise<{ binaries: Binaries; major: string }> {
  const found = await findNativeFolder();
  const name = `postgresql-${found.version}`;
  const copy = join(account ? systemFolder : folders.home, name);
  const binaries = await usableBinaries({ native: native ?? found.native, copy, account });
  return { binaries, major: found.version.split('.')[0] ?? '' };
}

const DUPLICATE_DATABASE = '42P04';

/** The server answers, and our database is on it: a first start may have been cut short before it was made. */
async function ensureDatabase(connection: SocketConnection): Promise<void> {
  try {
    await withConnection(connectionOptions({ connection }), (sql) => sql`select 1`);
  } catch (error) {
    if (!(error instanceof DatabaseAddressError)) throw error;
    await createDatabase(connection);
  }
}

async function createDatabase(connection: SocketConnection): Promise<void> {
  const maintenance = connectionOptions({ connection: { ...connection, database: 'postgres' } });
  try {
    await withConnection(maintenance, (sql) => sql`create database ${sql(connection.database)}`);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.sqlState !== DUPLICATE_DATABASE) throw error;
  }
}
