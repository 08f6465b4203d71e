import { CHAMPION, InvalidRequestError, type Alias, type AliasMove } from '@perennial/contract';
import {
  findAlias,
  getModelVersion,
  lockModel,
  moveAlias,
  recordChange,
  removeAlias,
  transaction,
  type Executor,
} from '@perennial/storage';
import type { Requester, ModelDesk } from './tags.ts';

export interface AliasTarget {
  model: string;
  /** Any but champion, which releases move. */
  alias: string;
  version: number;
  reason: string;
  /** The revision that the move was decided on, 0 where the alias was not set; absent: whichever it has. */
  expectedRevision?: number | undefined;
}

/**
 * Points an alias to a version, by compare and set.
 * @throws InvalidRequestError for the alias champion
 * @throws NotFoundError when there is no such model or version
 * @throws ConflictError when the alias is at another revision
 */
export async function pointAlias(desk: ModelDesk, target: AliasTarget, requester: Requester): Promise<Alias> {
  const { model, alias, version, reason } = target;
  refuseChampion(alias, `release request ${model}@${version}`);
  return transaction(desk.database, async (tx) => {
    // Moves of one model's aliases follow one another, so that whoever names no revision meets none that moved since.
    await lockModel(tx, model);
    await getModelVersion(tx, model, version);
    const current = await findAlias(tx, model, alias);
    const expectedRevision = target.expectedRevision ?? current?.revision ?? 0;
    const decision = { by: requester.by, reason, at: desk.clock.now() };
    const move = await moveAlias(tx, {
      model,
      alias,
      version,
      expectedRevision,
      releaseId: null,
      ...decision,
    });
    recordMove(tx, { desk, requester, model, move });
    return { model, alias, version, revision: move.revision, updatedAt: move.at };
  });
}

export interface AliasName {
  model: string;
  alias: string;
}

/**
 * Removes an alias; its history stays.
 * @throws InvalidRequestError for the alias champion
 * @throws NotFoundError when it is not set
 */
export async function withdrawAlias(
  desk: ModelDesk,
  { model, alias, reason }: AliasName & { reason: string },
  requester: Requester,
): Promise<AliasMove> {
  refuseChampion(alias, `rollback ${model}`);
  return transaction(desk.database, async (tx) => {
    await lockModel(tx, model);
    const move = await removeAlias(tx, { model, alias, by: requester.by, reason, at: desk.clock.now() });
    recordMove(tx, { desk, requester, model, move });
    return move;
  });
}

function refuseChampion(alias: string, instead: string): void {
  if (alias !== CHAMPION) return;
  throw new InvalidRequestError(
    `The alias '${CHAMPION}' is moved by releases only, so that what serves is always what was decided: \`perennial ${instead} --reason …\` does it.`,
    [{ path: 'alias', message: `must not be '${CHAMPION}'` }],
  );
}

interface Moved {
  desk: ModelDesk;
  requester: Requester;
  model: string;
  move: AliasMove;
}

function recordMove(tx: Executor, { desk, requester, model, move }: Moved): void {
  const { alias, version, previousVersion, revision, reason } = move;
  recordChange(tx, {
    at: desk.clock.now(),
    ...requester,
    action: version === null ? 'alias.removed' : 'alias.moved',
    subject: `alias:${model}@${alias}`,
    reason,
    details: { version, previousVersion, revision },
  });
}
