import { envelopeSchema, NotFoundError, type Attestation } from '@perennial/contract';
import type { Signer } from '@perennial/registry';
import {
  AttestationInvalidError,
  decodeStatement,
  digestsOf,
  verifyAttestation,
} from '@perennial/registry/attestation';
import { getVersionContents, type Database } from '@perennial/storage';
import type { Handlers } from './route-registration.ts';

export interface AttestationDependencies {
  database: Database;
  signer: Signer;
}

/** What was signed of a version, held against what is on record of it now. */
export function attestationHandlers({ database, signer }: AttestationDependencies) {
  return {
    getAttestation: async ({ params }): Promise<Attestation> => {
      const { model, version } = params;
      const { envelope: found, ...contents } = await getVersionContents(database.orm, model, version);
      if (found === null) throw new NotFoundError('attestation', `${model}@${version}`);
      const { data: envelope } = envelopeSchema.safeParse(found);
      const statement = envelope && decodeStatement(Buffer.from(envelope.payload, 'base64'));
      const problem = whyNot(() => verifyAttestation(found, digestsOf(contents), signer.trusted));
      // What is no statement at all cannot be shown as one.
      if (envelope === undefined || statement === undefined)
        throw new AttestationInvalidError({ model, version }, problem ?? 'it cannot be read');
      return { envelope, statement, valid: problem === null, problem };
    },
  } satisfies Partial<Handlers>;
}

function whyNot(verify: () => unknown): string | null {
  try {
    verify();
    return null;
  } catch (error) {
    if (error instanceof AttestationInvalidError) return error.message;
    throw error;
  }
}
