import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artifactStoreContract } from '../testing/artifact-store-contract.ts';
import { artifactKey } from './digest.ts';
import { FileArtifactStore } from './file-artifact-store.ts';

artifactStoreContract('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-artifacts-'));
  return {
    store: await FileArtifactStore.open({ folder }),
    damage: (digest, bytes) => writeFile(join(folder, artifactKey(digest)), bytes),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});
