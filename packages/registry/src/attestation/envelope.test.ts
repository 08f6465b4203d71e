import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Envelope } from '@perennial/contract';
import { testSigning } from '../testing/signed-version.ts';
import { openEnvelope, preAuthenticationEncoding, sealEnvelope } from './envelope.ts';
import { PublicKey, SigningKey, TrustedKeys } from './signing-key.ts';

const { key, trusted } = testSigning();
const PAYLOAD = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');

/** The first test vector of RFC 8032, section 7.1, as PKCS#8: its 32 bytes of seed after the prefix of RFC 8410. */
const RFC_SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const rfcKey = SigningKey.read(
  `-----BEGIN PRIVATE KEY-----\n${Buffer.from(`302e020100300506032b657004220420${RFC_SEED}`, 'hex').toString('base64')}\n-----END PRIVATE KEY-----\n`,
);

describe('the pre-authentication encoding', () => {
  test('is that of the example in the specification', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  test('counts bytes and not characters, and takes any bytes', () => {
    const encoded = preAuthenticationEncoding('ü', Buffer.from([0, 255]));
    expect(encoded).toEqual(Buffer.concat([Buffer.from('DSSEv1 2 ü 2 '), Buffer.from([0, 255])]));
  });

  test('is another one for every other pair of type and payload', () => {
    const pair = fc.tuple(fc.string({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }));
    fc.assert(
      fc.property(pair, pair, ([type, payload], [otherType, otherPayload]) => {
        const same = type === otherType && Buffer.compare(payload, otherPayload) === 0;
        const a = preAuthenticationEncoding(type, payload);
        const b = preAuthenticationEncoding(otherType, otherPayload);
        expect(a.equals(b)).toBe(same);
      }),
    );
  });
});

describe('a signature', () => {
  test('is the one that RFC 8032 gives for its key and an empty message', () => {
    expect(rfcKey.sign(Buffer.alloc(0)).toString('hex')).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });

  test('of a key with public half is told by that half', () => {
    const other = PublicKey.read(rfcKey.publicKey.pem);
    expect(other.id).toBe(rfcKey.id);
    expect(other.verifies(PAYLOAD, rfcKey.sign(PAYLOAD))).toBe(true);
  });
});

describe('an envelope', () => {
  const sealed = sealEnvelope(PAYLOAD, key);

  test('gives back its payload to who trusts the key', () => {
    expect(openEnvelope(sealed, trusted)).toEqual({ payload: PAYLOAD });
  });

  test('of another key is not believed, whatever it says of itself', () => {
    const foreign = sealEnvelope(PAYLOAD, rfcKey);
    expect(openEnvelope(foreign, trusted)).toMatchObject({
      problem: expect.stringContaining('not trusted') as string,
    });
    const disguised = { ...foreign, signatures: [{ ...foreign.signatures[0], keyid: key.id }] };
    expect(openEnvelope(disguised, trusted)).toEqual({ problem: 'its signature does not fit its payload' });
  });

  test('is refused when a second signature of a trusted key does not hold', () => {
    const [good] = sealed.signatures;
    const bad = { keyid: key.id, sig: Buffer.alloc(64).toString('base64') };
    expect(openEnvelope({ ...sealed, signatures: [good, bad] }, trusted)).toHaveProperty('problem');
  });

  test('is believed for a trusted signature beside one of a key that is not known', () => {
    const both = {
      ...sealed,
      signatures: [...sealEnvelope(PAYLOAD, rfcKey).signatures, ...sealed.signatures],
    };
    expect(openEnvelope(both, trusted)).toEqual({ payload: PAYLOAD });
    expect(openEnvelope(both, new TrustedKeys([]))).toHaveProperty('problem');
  });

  test.each([
    null,
    undefined,
    7,
    'x',
    [],
    {},
    { payload: '' },
    { ...sealed, extra: 1 },
    { ...sealed, signatures: [] },
  ])('that is %j is none', (given) => {
    expect(openEnvelope(given, trusted)).toEqual({ problem: 'it is not an envelope' });
  });

  test('with any byte of its JSON changed is refused', () => {
    const text = Buffer.from(JSON.stringify(sealed));
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const flipped = Buffer.from(text);
        flipped[at] = (flipped[at] ?? 0) ^ change;
        expect(openEnvelope(parse(flipped), trusted)).toHaveProperty('problem');
      }),
      { numRuns: 2_000 },
    );
  });

  test('written with other base64 for the same bytes is refused', () => {
    for (const field of ['payload', 'sig'] as const) {
      const other = rewritten(sealed, field);
      expect(openEnvelope(other, trusted)).toHaveProperty('problem');
    }
  });
});

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The same bytes with the unused bits of the last character set, or without padding. */
function rewritten(envelope: Envelope, field: 'payload' | 'sig'): unknown {
  const text = field === 'payload' ? envelope.payload : (envelope.signatures[0]?.sig ?? '');
  const bare = text.replace(/=+$/, '');
  expect(bare).not.toBe(text);
  const last = bare.charCodeAt(bare.length - 1);
  const other = `${bare.slice(0, -1)}${String.fromCharCode(last + 1)}${text.slice(bare.length)}`;
  expect(Buffer.from(other, 'base64')).toEqual(Buffer.from(text, 'base64'));
  return field === 'payload'
    ? { ...envelope, payload: other }
    : { ...envelope, signatures: [{ keyid: envelope.signatures[0]?.keyid, sig: other }] };
}
