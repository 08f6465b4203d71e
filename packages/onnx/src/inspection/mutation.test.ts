import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelRefusedError } from '../errors.ts';
import { goodFile } from '../testing/hostile-files.ts';
import { inspectModel } from './inspect-model.ts';
import { tryModel } from './trial/try-model.ts';

const GOOD = goodFile();

/** What may happen to a file on the way: bytes that are changed, cut off, doubled or put in. */
const damaged = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.record({ at: fc.nat(GOOD.length - 1), byte: fc.nat(255) }), { minLength: 1, maxLength: 8 })
      .map((changes) => {
        const bytes = GOOD.slice();
        for (const { at, byte } of changes) bytes[at] = byte;
        return bytes;
      }),
  },
  { weight: 1, arbitrary: fc.nat(GOOD.length).map((length) => GOOD.slice(0, length)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(GOOD.length), fc.nat(GOOD.length), fc.uint8Array({ maxLength: 40 }))
      .map(([from, to, between]) => Buffer.concat([GOOD.subarray(0, from), between, GOOD.subarray(to)])),
  },
);

const isTaken = (bytes: Uint8Array): boolean => {
  try {
    inspectModel(bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(ModelRefusedError);
    return false;
  }
};

describe('a damaged file', () => {
  it('is taken or refused by who looks at it, and nothing else', () => {
    let refused = 0;
    fc.assert(
      fc.property(damaged, (bytes) => {
        if (!isTaken(bytes)) refused += 1;
      }),
      { numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it('that passes is taken or refused by who runs it, and nothing else', async () => {
    const passed = fc.sample(damaged, 1_000).filter(isTaken);
    expect(passed.length).toBeGreaterThanOrEqual(TRIED);
    for (const bytes of passed.slice(0, TRIED)) {
      const adopt = {
        columns: [
          { name: 'amount', type: 'number' as const },
          { name: 'visits', type: 'number' as const },
        ],
        label: { kind: 'binary' as const, name: 'label', threshold: 0.5 },
      };
      const columns = { amount: Float64Array.of(1, -1), visits: Float64Array.of(0, 2) };
      const end = await tryModel({ bytes, adopt, sample: { rows: 2, columns } }).then(
        () => 'taken',
        (error: unknown) => (error instanceof ModelRefusedError ? 'refused' : String(error)),
      );
      expect(['taken', 'refused']).toContain(end);
    }
  });
});

/** Files that are run: each takes a process, which takes half a second to start. */
const TRIED = 12;
