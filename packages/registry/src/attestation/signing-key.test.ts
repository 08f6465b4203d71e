import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SigningKeyInvalidError } from '../errors.ts';
import { PublicKey, SigningKey, generateSigningKey } from './signing-key.ts';

const pem = generateSigningKey();

describe('a signing key', () => {
  test('is read from PKCS#8, has the same id each time, and another one than any other', () => {
    expect(SigningKey.read(pem).id).toBe(SigningKey.read(pem).id);
    expect(SigningKey.read(pem).id).toMatch(/^[0-9a-f]{64}$/);
    expect(SigningKey.read(generateSigningKey()).id).not.toBe(SigningKey.read(pem).id);
  });

  test('does not show its private half', () => {
    const shown = JSON.stringify(SigningKey.read(pem));
    expect(shown).not.toContain(pem.split('\n')[1]);
    expect(Object.keys(SigningKey.read(pem))).toEqual(['publicKey']);
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const locked = generateKeyPairSync('ed25519').privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });
  test.each([
    ['nothing', ''],
    ['text', 'not a key'],
    ['half a key', pem.slice(0, 60)],
    ['a key of another kind', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['a key that is locked', locked],
    ['a public key', SigningKey.read(pem).publicKey.pem],
  ])('is not read from %s, and the message does not repeat it', (_, text) => {
    expect(() => SigningKey.read(String(text))).toThrow(SigningKeyInvalidError);
    try {
      SigningKey.read(String(text));
    } catch (error) {
      expect(String(error)).not.toContain('BEGIN');
    }
  });
});

describe('a public key', () => {
  test('is read from PEM', () => {
    const { publicKey } = SigningKey.read(pem);
    expect(PublicKey.read(publicKey.pem).pem).toBe(publicKey.pem);
  });

  test('is not taken from the file of a private one', () => {
    expect(() => PublicKey.read(pem)).toThrow('it is a private key');
  });

  test('of another kind is refused', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const text = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    expect(() => PublicKey.read(text)).toThrow('not Ed25519');
  });
});
