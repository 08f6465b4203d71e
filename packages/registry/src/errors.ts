import { PerennialError } from '@perennial/contract';

/** Another version became champion while this one was being validated: the comparison has to be made anew. */
export class ChampionMovedError extends PerennialError {
  readonly code = 'conflict';
  constructor(
    readonly model: string,
    readonly comparedVersion: number | null,
  ) {
    super(
      `The champion of '${model}' is no longer version ${comparedVersion ?? '(none)'}, which the gate compared with.`,
    );
  }

  override get details() {
    return { model: this.model, comparedVersion: this.comparedVersion };
  }
}

/** What was asked of a release is not to be done by this caller, or not with what is on record. */
export class ReleaseRefusedError extends PerennialError {
  readonly code = 'release-refused';
  constructor(
    readonly model: string,
    readonly transition: string,
    /** A sentence: what is missing. */
    reason: string,
  ) {
    super(reason);
  }

  override get details() {
    return { model: this.model, transition: this.transition };
  }
}

/** There is no earlier champion that a rollback could put back. */
export class NothingToRestoreError extends PerennialError {
  readonly code = 'conflict';
  constructor(
    readonly model: string,
    reason: string,
  ) {
    super(reason);
  }

  override get details() {
    return { model: this.model };
  }
}

/** A version is not what was approved and signed, or nobody has signed it. It is not served. */
export class AttestationInvalidError extends PerennialError {
  readonly code = 'signature-invalid';
  readonly model: string;
  readonly version: number;
  constructor(
    { model, version }: { model: string; version: number },
    /** Why, as the end of a sentence. */
    readonly problem: string,
  ) {
    super(`Version ${version} of '${model}' is not to be trusted: ${problem}.`);
    this.model = model;
    this.version = version;
  }

  override get details() {
    return { model: this.model, version: this.version, problem: this.problem };
  }
}

/** A version is to be approved in a process that has no key to sign with. */
export class SigningKeyMissingError extends PerennialError {
  readonly code = 'unavailable';
  constructor(
    readonly model: string,
    readonly version: number,
  ) {
    super(
      `Version ${version} of '${model}' cannot be approved here: this process has no signing key. Set PERENNIAL_SIGNING_KEY.`,
    );
  }

  override get details() {
    return { model: this.model, version: this.version };
  }
}

/** What was given as a key is none that can be used. The key itself is not repeated. */
export class SigningKeyInvalidError extends PerennialError {
  readonly code = 'internal';
  constructor(
    /** Why, as the end of a sentence. */
    readonly problem: string,
  ) {
    super(`The key cannot be used: ${problem}.`);
  }
}
