export * from './envelope.ts';
export * from './release-statement.ts';
export * from './signing-key.ts';
export * from './verify-attestation.ts';
export { AttestationInvalidError, SigningKeyInvalidError, SigningKeyMissingError } from '../errors.ts';
