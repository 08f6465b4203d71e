import fc from 'fast-check';
import { expect, test } from 'vitest';
import { predictRequestSchema } from '@perennial/contract';
import { isPlainRequest } from './check-request.ts';

const keys = fc.oneof(
  fc.array(fc.oneof(fc.string(), fc.constantFrom('x'.repeat(256), 'x'.repeat(257)), fc.integer())),
  fc.jsonValue(),
);
const instances = fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue());
const bodies = fc.oneof(
  fc.record({ instances, keys }, { requiredKeys: [] }),
  fc.record({ instances, keys, other: fc.jsonValue() }, { requiredKeys: ['instances'] }),
  fc.jsonValue(),
);

test('takes the bodies with instances that the schema takes, and no other', () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const { success, data } = predictRequestSchema.safeParse(body);
      expect(isPlainRequest(body)).toBe(success && data.instances !== undefined);
    }),
  );
});

test.each([
  [{ instances: Array<null>(50_000).fill(null) }, true],
  [{ instances: Array<null>(50_001).fill(null) }, false],
  [{ instances: [{}], keys: undefined }, true],
])('knows the limits', (body, plain) => {
  expect(predictRequestSchema.safeParse(body).success).toBe(plain);
  expect(isPlainRequest(body)).toBe(body.instances.length <= 50_000 && !('keys' in body));
});
