import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Calibration, FittedLabel } from '@perennial/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeArtifact } from './artifact.ts';
import { writeEncoder } from './encoder-file.ts';
import { encoderSpecs } from './testing/arbitraries.ts';
import { NETWORK_ENCODER, NETWORK_INPUTS, networks } from './testing/networks.ts';

/** A Python that has the `onnx` package: PERENNIAL_TEST_PYTHON, or the one on the path. */
const python = process.env['PERENNIAL_TEST_PYTHON'] ?? 'python3';
const hasOnnx = spawnSync(python, ['-c', 'import onnx']).status === 0;

const CHECK = `
import sys, pathlib, onnx
for path in sorted(pathlib.Path(sys.argv[1]).glob('*.onnx')):
    try:
        onnx.checker.check_model(onnx.load(path), full_check=True)
        print('sound')
    except Exception as error:
        print(path.name, str(error).replace(chr(10), ' '))
`;

const decided: [FittedLabel, number][] = [
  [{ kind: 'binary', name: 'y', threshold: 0.5 }, 1],
  [{ kind: 'multiclass', name: 'y', classes: ['a', 'b', 'c'] }, 3],
  [{ kind: 'regression', name: 'y', center: 1, scale: 2 }, 1],
];

function calibratedFiles(): Uint8Array[] {
  return decided.slice(0, 2).flatMap(([label, width]) => {
    const kernel = { shape: [2, width], data: new Float32Array(2 * width) };
    const activation = label.kind === 'binary' ? ('sigmoid' as const) : ('softmax' as const);
    const network = {
      inputs: NETWORK_INPUTS,
      layers: [{ name: 'out', inputs: ['dense'], kind: 'dense' as const, kernel, activation }],
      output: 'out',
    };
    const points: [number, number][] = [
      [0, 0.1],
      [0.5, 0.4],
      [1, 0.9],
    ];
    const calibrations: Calibration[] = [
      { method: 'temperature', temperature: 1.7 },
      ...(label.kind === 'binary' ? [{ method: 'isotonic' as const, points }] : []),
    ];
    return calibrations.map((calibration) =>
      writeArtifact({ encoder: NETWORK_ENCODER, network, label, calibration, properties: {} }),
    );
  });
}

function decisionFiles(): Uint8Array[] {
  return decided.map(([label, width]) => {
    const kernel = { shape: [2, width], data: new Float32Array(2 * width) };
    const network = {
      inputs: NETWORK_INPUTS,
      layers: [
        { name: 'out', inputs: ['dense'], kind: 'dense' as const, kernel, activation: 'softmax' as const },
      ],
      output: 'out',
    };
    return writeArtifact({ encoder: NETWORK_ENCODER, network, label, properties: { a: 'b' } });
  });
}

describe.skipIf(!hasOnnx)("ONNX's own checker (skipped where no Python has the onnx package)", () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'onnx-checker-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds every written file sound, shapes and types included', () => {
    const label: FittedLabel = { kind: 'regression', name: 'y', center: 0, scale: 1 };
    const files = [
      ...decisionFiles(),
      ...calibratedFiles(),
      ...fc.sample(encoderSpecs, { numRuns: 60, seed: 1 }).map(writeEncoder),
      ...fc
        .sample(networks, { numRuns: 60, seed: 1 })
        .map((network) => writeArtifact({ encoder: NETWORK_ENCODER, network, label, properties: {} })),
    ];
    files.forEach((bytes, i) => writeFileSync(join(folder, `${String(i).padStart(3, '0')}.onnx`), bytes));
    const checked = spawnSync(python, ['-c', CHECK, folder], { encoding: 'utf8' });
    expect(checked.stderr).toBe('');
    expect(checked.stdout.trim().split('\n')).toEqual(files.map(() => 'sound'));
  });
});
