import { STATEMENT_MEDIA_TYPE, envelopeSchema, type Envelope } from '@perennial/contract';
import type { SigningKey, TrustedKeys } from './signing-key.ts';

/**
 * What a signature is over: type and payload, each with its length before it, so that no other pair has the same bytes
 * (DSSE v1, https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, "PAE").
 */
export function preAuthenticationEncoding(type: string, payload: Uint8Array): Buffer {
  const typeBytes = Buffer.byteLength(type, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${typeBytes} ${type} ${payload.length} `, 'utf8'), payload]);
}

export function sealEnvelope(payload: Uint8Array, key: SigningKey): Envelope {
  const signature = key.sign(preAuthenticationEncoding(STATEMENT_MEDIA_TYPE, payload));
  return {
    payloadType: STATEMENT_MEDIA_TYPE,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: key.id, sig: signature.toString('base64') }],
  };
}

/** The payload of an envelope, or why it is not to be believed. */
export type Opened = { payload: Buffer } | { problem: string };

/**
 * Takes the payload out of an envelope that a trusted key has signed. Strict where the specification leaves room: the key is found by its id
 * alone, and base64 has one form, so that an envelope with any byte changed is another one and is refused.
 */
export function openEnvelope(given: unknown, trusted: TrustedKeys): Opened {
  const parsed = envelopeSchema.safeParse(given);
  if (!parsed.success) return { problem: 'it is not an envelope' };
  const { payloadType, payload: text, signatures } = parsed.data;
  const payload = decode(text);
  if (payload === undefined) return { problem: 'its payload is not in canonical base64' };
  const encoded = preAuthenticationEncoding(payloadType, payload);
  const known = signatures.filter(({ keyid }) => trusted.find(keyid) !== undefined);
  if (known.length === 0) {
    const ids = signatures.map(({ keyid }) => keyid.slice(0, 16)).join(', ');
    return { problem: `it is signed with a key that is not trusted here (${ids}…)` };
  }
  const holds = known.every(({ keyid, sig }) => {
    const signature = decode(sig);
    return signature !== undefined && trusted.find(keyid)?.verifies(encoded, signature) === true;
  });
  return holds ? { payload } : { problem: 'its signature does not fit its payload' };
}

/** Undefined where the text has another form than the one that the bytes are written in. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
