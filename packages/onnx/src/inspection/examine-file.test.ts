import { describe, expect, it } from 'vitest';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile, hostileFiles } from '../testing/hostile-files.ts';
import { foreignModel, value } from '../testing/foreign-models.ts';
import { examineFile } from './examine-file.ts';

/** Bytes in a memory of their own, which is handed over. */
const own = (bytes: Uint8Array) => new Uint8Array(bytes);

describe('a file is looked at on a thread of its own', () => {
  it('which gives the file back, with what can be told of it', async () => {
    const bytes = own(goodFile());
    const examined = await examineFile({ bytes, sample: GOOD_SAMPLE, output: GOOD_OUTPUT });
    expect(examined).toEqual({
      bytes: own(goodFile()),
      description: expect.objectContaining({ producer: 'elsewhere' }) as unknown,
      columns: [
        { name: 'amount', type: 'number' },
        { name: 'visits', type: 'number' },
      ],
      label: { kind: 'binary', name: 'label', threshold: 0.5 },
    });
    expect(bytes).toHaveLength(0);
  });

  it('which refuses what is hostile, and what is not said', async () => {
    const circle =
      hostileFiles()
        .find(({ name }) => name === 'a circle of two nodes')
        ?.bytes() ?? goodFile();
    await expect(
      examineFile({ bytes: own(circle), sample: GOOD_SAMPLE, output: GOOD_OUTPUT }),
    ).rejects.toThrow('is a circle');
    await expect(
      examineFile({ bytes: own(goodFile()), sample: GOOD_SAMPLE, output: undefined }),
    ).rejects.toThrow('nothing in it says what its output means');
  });

  it('which believes a file that the platform wrote, and nobody who says otherwise', async () => {
    const signature = { inputs: [{ name: 'amount', type: 'number' }], output: { kind: 'regression' } };
    const bytes = foreignModel({
      inputs: [value('X', 'float32', [null, 2])],
      outputs: [value('Y', 'float32', [null, 2])],
      write: (graph) => {
        graph.node('Identity', ['X'], { output: 'Y' });
      },
      metadata: { 'perennial.kind': 'adopted', 'perennial.signature': JSON.stringify(signature) },
    });
    expect(await examineFile({ bytes: own(bytes), sample: [], output: undefined })).toMatchObject({
      columns: signature.inputs,
      label: null,
    });
    await expect(examineFile({ bytes: own(bytes), sample: [], output: GOOD_OUTPUT })).rejects.toThrow(
      'this platform wrote it with the output {"kind":"regression"}, which is not the one that was given',
    );
  });
});
