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
