import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdGenerator, type Signature } from '@perennial/contract';
import { readSignature, writeArtifact } from '@perennial/onnx';
import { registerCandidate } from '@perennial/registry';
import { makeCandidate, seed, testSigning } from '@perennial/registry/testing';
import { FileArtifactStore, transaction } from '@perennial/storage';
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from './test-platform.ts';

export interface ServingPlatform extends TestPlatform {
  /** Releases the next version of `churn`: version n answers `age + n`. */
  release: () => Promise<number>;
}

/** A platform that serves version 1 of the model `churn`, which answers `age + 1` to an instance `{ age }`. */
export async function startServingPlatform(options: TestPlatformOptions = {}): Promise<ServingPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-serving-'));
  const { pem, signer } = testSigning();
  await writeFile(join(folder, 'key.pem'), pem);
  const place = { PERENNIAL_HOME: join(folder, 'home'), PERENNIAL_SIGNING_KEY: join(folder, 'key.pem') };
  const test = await startTestPlatform({ ...options, variables: { ...options.variables, ...place } });
  const { database, clock } = test;
  const ids = new IdGenerator(clock);
  await seed(database);
  let released = 0;
  const release = async () => {
    const against = released === 0 ? null : released;
    const verdict = against === null ? 'no-baseline' : 'pass';
    const store = await FileArtifactStore.open({ folder: join(folder, 'home', 'artifacts') });
    const bytes = addingModel(released + 1);
    const signature: Signature = readSignature(bytes);
    const candidate = await makeCandidate({ database, ids, verdict, against });
    const real = { ...candidate, artifact: await store.put(bytes), signature };
    const { version } = await transaction(database, (tx) =>
      registerCandidate(tx, real, { clock, ids, signer }),
    );
    released = version;
    return version;
  };
  await release();
  return {
    ...test,
    release,
    stop: async () => {
      await test.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function addingModel(amount: number): Uint8Array {
  const column = { name: 'age', column: 'age', kind: 'numeric', impute: 0, missingIndicator: false } as const;
  return writeArtifact({
    encoder: {
      columns: [{ name: 'age', type: 'number' }],
      features: [{ ...column, clip: {}, log: false, center: 0, scale: 1 }],
    },
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: 1 }],
      layers: [
        {
          name: 'sum',
          inputs: ['dense'],
          kind: 'dense',
          kernel: { shape: [1, 1], data: new Float32Array([1]) },
          bias: { shape: [1], data: new Float32Array([amount]) },
          activation: 'linear',
        },
      ],
      output: 'sum',
    },
    label: { kind: 'regression', name: 'sum', center: 0, scale: 1 },
    properties: {},
  });
}
