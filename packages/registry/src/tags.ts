import type { AuditAction, Clock, Model, ModelVersion } from '@perennial/contract';
import {
  describeModel,
  describeVersion,
  getModel,
  getModelVersion,
  recordChange,
  removeModelTag,
  removeVersionTag,
  setModelTag,
  setVersionTag,
  transaction,
  type Database,
  type Executor,
  type Tag,
  type VersionKey,
} from '@perennial/storage';

/** Where models are described and tagged. */
export interface ModelDesk {
  database: Database;
  clock: Clock;
}

/** Who asks for a change, and from where. */
export interface Requester {
  by: string;
  /** Network address and request id, for the audit. */
  origin: string;
}

/** @throws NotFoundError */
export async function changeModel(
  desk: ModelDesk,
  { model, description }: { model: string; description: string },
  requester: Requester,
): Promise<Model> {
  return transaction(desk.database, async (tx) => {
    const before = await describeModel(tx, model, description);
    recordSaid(tx, {
      desk,
      requester,
      action: 'model.changed',
      of: { model },
      details: { description, before },
    });
    return getModel(tx, model);
  });
}

/** Sets a tag of a model, whatever value it had. @throws NotFoundError */
export async function tagModel(
  desk: ModelDesk,
  { model, key, value }: Tag & { model: string },
  requester: Requester,
): Promise<Model> {
  return transaction(desk.database, async (tx) => {
    const before = await setModelTag(tx, model, { key, value });
    recordSaid(tx, {
      desk,
      requester,
      action: 'model.tagged',
      of: { model },
      details: { key, value, before },
    });
    return getModel(tx, model);
  });
}

/** @throws NotFoundError when there is no such model, or it has no such tag */
export async function untagModel(
  desk: ModelDesk,
  { model, key }: { model: string; key: string },
  requester: Requester,
): Promise<Model> {
  return transaction(desk.database, async (tx) => {
    const before = await removeModelTag(tx, model, key);
    recordSaid(tx, { desk, requester, action: 'model.untagged', of: { model }, details: { key, before } });
    return getModel(tx, model);
  });
}

/** Says something of a version, beside its row, which is never changed. @throws NotFoundError */
export async function changeVersion(
  desk: ModelDesk,
  { description, ...of }: VersionKey & { description: string },
  requester: Requester,
): Promise<ModelVersion> {
  return transaction(desk.database, async (tx) => {
    const before = await describeVersion(tx, of, description);
    recordSaid(tx, { desk, requester, action: 'version.changed', of, details: { description, before } });
    return versionAsListed(tx, of);
  });
}

/** Sets a tag of a version, whatever value it had. @throws NotFoundError */
export async function tagVersion(
  desk: ModelDesk,
  { key, value, ...of }: VersionKey & Tag,
  requester: Requester,
): Promise<ModelVersion> {
  return transaction(desk.database, async (tx) => {
    const before = await setVersionTag(tx, of, { key, value });
    recordSaid(tx, { desk, requester, action: 'version.tagged', of, details: { key, value, before } });
    return versionAsListed(tx, of);
  });
}

/** @throws NotFoundError when there is no such version, or it has no such tag */
export async function untagVersion(
  desk: ModelDesk,
  { key, ...of }: VersionKey & { key: string },
  requester: Requester,
): Promise<ModelVersion> {
  return transaction(desk.database, async (tx) => {
    const before = await removeVersionTag(tx, of, key);
    recordSaid(tx, { desk, requester, action: 'version.untagged', of, details: { key, before } });
    return versionAsListed(tx, of);
  });
}

async function versionAsListed(tx: Executor, { model, version }: VersionKey): Promise<ModelVersion> {
  const { card: _, ...listed } = await getModelVersion(tx, model, version);
  return listed;
}

interface Said {
  desk: ModelDesk;
  requester: Requester;
  action: AuditAction;
  of: { model: string; version?: number };
  details: Record<string, unknown>;
}

function recordSaid(tx: Executor, { desk, requester, action, of, details }: Said): void {
  const subject = of.version === undefined ? `model:${of.model}` : `version:${of.model}@${of.version}`;
  recordChange(tx, { at: desk.clock.now(), ...requester, action, subject, reason: null, details });
}
