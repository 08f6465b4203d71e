import { chmod, cp, lstat, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedPostgresError, EmbeddedPostgresUnsupportedError } from '../../errors.ts';
import { findNativeFolder, usableBinaries } from './binaries.ts';
import { serverAccount } from './server-account.ts';

const asRoot = process.getuid?.() === 0;

let folder: string;
let native: string;
let copy: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-binaries-'));
  await chmod(folder, 0o755);
  native = join(folder, 'package', 'native');
  copy = join(folder, 'copy', 'postgresql');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The package as npm unpacks it when it skips the script that makes the links. */
async function packageWithoutLinks(): Promise<void> {
  const { native: installed } = await findNativeFolder();
  const filter = async (path: string) => !path.endsWith('.a') && !(await lstat(path)).isSymbolicLink();
  await cp(installed, native, { recursive: true, filter });
}

/** A package whose program is this shell script. */
async function packageWith(script: string): Promise<void> {
  await mkdir(join(native, 'bin'), { recursive: true });
  await writeFile(join(native, 'bin', 'postgres'), script, { mode: 0o755 });
}

describe('the programs', () => {
  it('are used where they are, once their libraries are linked', async () => {
    await packageWithoutLinks();
    const binaries = await usableBinaries({ native, copy, account: await serverAccount() });
    expect(binaries.postgres).toBe(join(native, 'bin', 'postgres'));
    expect(execFileSync(binaries.postgres, ['--version'], { encoding: 'utf8' })).toMatch(/PostgreSQL\) 18/);
    await expect(stat(copy)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.runIf(asRoot)(
    'are copied when the user that runs them cannot reach the package, once by several at a time',
    async () => {
      await packageWithoutLinks();
      await chmod(join(folder, 'package'), 0o700);
      const account = await serverAccount();
      const request = { native, copy, account };
      const [binaries] = await Promise.all([usableBinaries(request), usableBinaries(request)]);
      expect(binaries.initdb).toBe(join(copy, 'bin', 'initdb'));
      const version = execFileSync(binaries.initdb, ['--version'], {
        ...account,
        encoding: 'utf8',
        cwd: '/',
      });
      expect(version).toMatch(/PostgreSQL\) 18/);
    },
  );

  it('are refused on a system without their loader, with a hint at another database', async () => {
    await packageWith('#!/lib64/no-such-loader.so\n');
    const refused = usableBinaries({ native, copy, account: undefined });
    await expect(refused).rejects.toBeInstanceOf(EmbeddedPostgresUnsupportedError);
    await expect(refused).rejects.toThrow(/glibc.*DATABASE_URL/);
  });

  it('are refused with what they said when they do not run at all', async () => {
    await packageWith('#!/bin/sh\necho out of order >&2\nexit 1\n');
    const refused = usableBinaries({ native, copy, account: undefined });
    await expect(refused).rejects.toBeInstanceOf(EmbeddedPostgresError);
    await expect(refused).rejects.toThrow(/out of order/);
  });
});
