import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { SigningKeyInvalidError } from '../errors.ts';

/** The public half of an Ed25519 key: tells whether bytes were signed with the other. */
export class PublicKey {
  readonly #key: KeyObject;
  /** SHA-256 of the key's DER form, in hexadecimal. */
  readonly id: string;

  private constructor(key: KeyObject) {
    if (key.asymmetricKeyType !== 'ed25519')
      throw new SigningKeyInvalidError(
        `it is of the kind ${key.asymmetricKeyType ?? 'unknown'}, not Ed25519`,
      );
    this.#key = key;
    this.id = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('hex');
  }

  /**
   * @param pem SPKI; the file of a private key is refused, since one that is handed round to verify with is no secret any more
   * @throws SigningKeyInvalidError
   */
  static read(pem: string): PublicKey {
    if (pem.includes('PRIVATE KEY'))
      throw new SigningKeyInvalidError('it is a private key; give the public half, which may be known');
    return new PublicKey(readPem(() => createPublicKey(pem), 'a public key in PEM'));
  }

  static of(privateKey: KeyObject): PublicKey {
    return new PublicKey(createPublicKey(privateKey));
  }

  /** SPKI in PEM. */
  get pem(): string {
    return this.#key.export({ type: 'spki', format: 'pem' }) as string;
  }

  verifies(bytes: Uint8Array, signature: Uint8Array): boolean {
    return verify(null, bytes, this.#key, signature);
  }
}

/** The installation's Ed25519 key. The private half can be used and not read. */
export class SigningKey {
  readonly #key: KeyObject;
  readonly publicKey: PublicKey;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = PublicKey.of(key);
  }

  /** @param pem PKCS#8, not encrypted @throws SigningKeyInvalidError */
  static read(pem: string): SigningKey {
    return new SigningKey(readPem(() => createPrivateKey(pem), 'a private key in PEM (PKCS#8)'));
  }

  get id(): string {
    return this.publicKey.id;
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#key);
  }
}

/** A new private key in the form that {@link SigningKey.read} takes. */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** The library's message is not repeated: it may quote the file. */
function readPem(read: () => KeyObject, what: string): KeyObject {
  try {
    return read();
  } catch {
    throw new SigningKeyInvalidError(`it is not ${what}`);
  }
}

/** The keys whose signatures count in this process, by their ids: named by who runs it, never by the database. */
export class TrustedKeys {
  readonly #keys: ReadonlyMap<string, PublicKey>;

  constructor(keys: Iterable<PublicKey>) {
    this.#keys = new Map(Array.from(keys, (key) => [key.id, key]));
  }

  find(id: string): PublicKey | undefined {
    return this.#keys.get(id);
  }

  ids(): string[] {
    return [...this.#keys.keys()];
  }
}
