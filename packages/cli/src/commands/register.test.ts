import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { perennial } from '../testing/command-line.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-register-'));
  await writeFile(join(folder, 'model.onnx'), 'not read by the command line');
  await writeFile(join(folder, 'rows.json'), '[{"amount":1}]');
  await writeFile(join(folder, 'empty.json'), '[]');
  await writeFile(join(folder, 'text.json'), '"amount"');
  await writeFile(join(folder, 'broken.json'), '{');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const register = (file: string, sample: string, ...more: string[]) =>
  perennial('register', at(file), '--name', 'churn', '--sample', at(sample), ...more);

describe('perennial register', () => {
  it.each([
    ['a model that is not there', ['nowhere.onnx', 'rows.json'], /nowhere\.onnx cannot be read/],
    ['a sample that is not there', ['model.onnx', 'nowhere.json'], /nowhere\.json cannot be read/],
    [
      'a sample without rows',
      ['model.onnx', 'empty.json'],
      /must hold 1 to 1,000 rows: a JSON array of objects/,
    ],
    ['a sample of something else', ['model.onnx', 'text.json'], /must hold 1 to 1,000 rows/],
    ['a sample that is no JSON', ['model.onnx', 'broken.json'], /broken\.json is not valid JSON/],
    [
      'a threshold that is no number',
      ['model.onnx', 'rows.json', '--threshold', 'half'],
      /from 0 to 1, not 'half'/,
    ],
    [
      'a threshold that is no probability',
      ['model.onnx', 'rows.json', '--threshold', '2'],
      /from 0 to 1, not '2'/,
    ],
    ['a single class', ['model.onnx', 'rows.json', '--classes', 'yes'], /two classes at least/],
    [
      'two kinds of output',
      ['model.onnx', 'rows.json', '--classes', 'a,b', '--regression'],
      /cannot be used with/,
    ],
  ] as const)('refuses %s', async (_what, [file, sample, ...more], message) => {
    const { status, errors } = await register(file, sample, ...more);
    expect(status).toBe(2);
    expect(errors).toMatch(message);
  });

  it('needs a name and a sample', async () => {
    expect(await perennial('register', at('model.onnx'))).toMatchObject({
      status: 2,
      errors: expect.stringContaining("required option '--name <model>'") as string,
    });
  });
});
