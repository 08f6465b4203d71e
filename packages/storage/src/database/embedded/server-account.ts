import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** The user the server runs as, where that is not the user we are. */
export interface ServerAccount {
  uid: number;
  gid: number;
}

/** What `nobody` is where the system does not say. */
const USUAL_NOBODY: ServerAccount = { uid: 65_534, gid: 65_534 };

/**
 * PostgreSQL refuses to run as root. Root starts it as `nobody`, which every system has; anyone else as themselves.
 */
export async function serverAccount(): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = users
    .split('\n')
    .find((line) => line.startsWith('nobody:'))
    ?.split(':');
  if (fields === undefined) return USUAL_NOBODY;
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Whether the account can enter the folder: asked of the system itself, which knows of every mode, mount and access list on the way. */
export function canEnter(folder: string, account: ServerAccount): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { ...account, env: {}, cwd: '/' };
    execFile('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], options, (error) => resolve(error === null));
  });
}
