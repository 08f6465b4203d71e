import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The folder of the generated migrations: inside the package where it was installed from a registry, at the root of the repository where it is
 * developed. The two are tried in this order, relative to this file (`src/database` and `dist/database` are equally deep).
 */
export function migrationsFolder(): string {
  const inPackage = fileURLToPath(new URL('../../migrations', import.meta.url));
  if (existsSync(`${inPackage}/meta/_journal.json`)) return inPackage;
  return fileURLToPath(new URL('../../../../migrations', import.meta.url));
}
