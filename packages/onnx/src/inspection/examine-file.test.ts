import { describe, expect, it } from 'vitest';
import { GOOD_OUTPUT, GOOD_SAMPLE, goodFile, hostileFiles } from '../testing/hostile-files.ts';
import { foreignModel, value } from '../testing/foreign-models.ts';
import { examineFile } from './examine-file.ts';

/** Bytes in a memory of their own, which is handed over. */
const own = (bytes: Uint8Array) => new Uint8Array(bytes);

/** So large that it is looked at on a thread. */
const largeFile = (change?: Parameters<typeof goodFile>[0]) =>
  goodFile((model, graph) => {
    model.docString = 'x'.repeat(300_000);
    change?.(model, graph);
  });

describe('a file', () => {
  it.each([
    ['at once', goodFile],
    ['on a thread, when it is large', largeFile],
  ])('is told of %s', async (_how, make) => {
    const bytes = own(make());
    const examined = await examineFile({ bytes, sample: GOOD_SAMPLE, output: GOOD_OUTPUT });
    expect(examined).toEqual({
      bytes: own(make()),
      description: expect.objectContaining({ producer: 'elsewhere' }) as unknown,
      columns: [
        { name: 'amount', type: 'number' },
        { name: 'visits', type: 'number' },
      ],
      label: { kind: 'binary', name: 'label', threshold: 0.5 },
    });
    expect(bytes).toHaveLength(make === goodFile ? examined.bytes.length : 0);
  });

  it('is refused on a thread with the same reason', async () => {
    const circle = largeFile((_model, graph) =>
      graph.node.push(...graph.node.map((node) => ({ ...node, name: 'same' }))),
    );
    await expect(
      examineFile({ bytes: own(circle), sample: GOOD_SAMPLE, output: GOOD_OUTPUT }),
    ).rejects.toThrow('is made twice');
  });

  it('is refused when it is hostile, or does not say what it answers', async () => {
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

  it('of this platform is believed, and nobody who says otherwise', async () => {
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
