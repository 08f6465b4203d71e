import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes a platform's home in a folder, and lets everyone pass through both. The server of an embedded database that root starts runs as somebody else: what that user cannot reach lies in the system's
 * folder, where it stays, 240 MB for each, when the home is removed.
 */
export async function passableHome(folder: string, name = 'home'): Promise<string> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true });
  for (const path of [folder, home]) await chmod(path, 0o711);
  return home;
}
