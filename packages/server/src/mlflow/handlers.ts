import { CHAMPION, NotFoundError, type Clock, type IdGenerator } from '@perennial/contract';
import {
  changeModel,
  changeVersion,
  makeChampion,
  pointAlias,
  tagModel,
  tagVersion,
  untagModel,
  untagVersion,
  withdrawAlias,
  type ReleaseDesk,
} from '@perennial/registry';
import { findAlias, getModel, type Database } from '@perennial/storage';
import { NotOfferedToMlflowError } from '../errors.ts';
import { callerOf } from '../http/release-handlers.ts';
import type { HandlerContext } from '../http/route-registration.ts';
import { MlflowReader } from './reader.ts';
import { toMlflowVersion } from './entities.ts';
import type { MlflowRequest, MlflowResponse, MlflowRouteName } from './routes.ts';

/** One handler for every route of the table; a missing one does not compile. */
export type MlflowHandlers = {
  [Name in MlflowRouteName]: (
    request: MlflowRequest<Name>,
    context: HandlerContext,
  ) => Promise<MlflowResponse<Name>>;
};

export interface MlflowDependencies {
  database: Database;
  clock: Clock;
  ids: IdGenerator;
  signer: ReleaseDesk['signer'];
}

/** MLflow's registry, on ours: the same reads, and changes under the same roles and into the same audit. */
export function createMlflowHandlers(dependencies: MlflowDependencies): MlflowHandlers {
  return {
    ...readHandlers(new MlflowReader(dependencies.database.orm)),
    ...tagHandlers(dependencies),
    ...aliasHandlers(dependencies),
    ...refusals(dependencies.database),
  };
}

function readHandlers(reader: MlflowReader) {
  const latest: MlflowHandlers['getLatestVersions'] = async ({ name, stages }, { baseUrl }) => {
    const { latest_versions } = await reader.model(name, baseUrl);
    const wanted = stages.length === 0 || stages.some((stage) => stage.toLowerCase() === 'none');
    return { model_versions: wanted ? latest_versions : [] };
  };
  return {
    getRegisteredModel: async ({ name }, { baseUrl }) => ({
      registered_model: await reader.model(name, baseUrl),
    }),
    searchRegisteredModels: async (request, { principal, baseUrl }) => {
      const { items, next } = await reader.searchModels(request, { models: principal.models, baseUrl });
      return { registered_models: items, ...next };
    },
    getLatestVersions: latest,
    postLatestVersions: latest,
    getModelVersion: async (request, { baseUrl }) => ({
      model_version: toMlflowVersion(await reader.version(request), baseUrl),
    }),
    getModelVersionByAlias: async ({ name, alias }, { baseUrl }) => ({
      model_version: toMlflowVersion(await reader.versionByAlias(name, alias), baseUrl),
    }),
    searchModelVersions: async (request, { principal, baseUrl }) => {
      const { items, next } = await reader.searchVersions(request, { models: principal.models, baseUrl });
      return { model_versions: items, ...next };
    },
    getDownloadUri: async (request, { baseUrl }) => ({
      artifact_uri: toMlflowVersion(await reader.version(request), baseUrl).source,
    }),
  } satisfies Partial<MlflowHandlers>;
}

const requesterOf = ({ principal, origin }: HandlerContext) => ({ by: principal.name, origin });

function tagHandlers({ database, clock }: MlflowDependencies) {
  const desk = { database, clock };
  const reader = new MlflowReader(database.orm);
  return {
    updateRegisteredModel: async ({ name: model, description }, context) => {
      await changeModel(desk, { model, description }, requesterOf(context));
      return { registered_model: await reader.model(model, context.baseUrl) };
    },
    setRegisteredModelTag: async ({ name: model, key, value }, context) => {
      await tagModel(desk, { model, key, value }, requesterOf(context));
      return {};
    },
    deleteRegisteredModelTag: async ({ name: model, key }, context) => {
      await untagModel(desk, { model, key }, requesterOf(context));
      return {};
    },
    updateModelVersion: async ({ name: model, version, description }, context) => {
      await changeVersion(desk, { model, version, description }, requesterOf(context));
      return {
        model_version: toMlflowVersion(await reader.version({ name: model, version }), context.baseUrl),
      };
    },
    setModelVersionTag: async ({ name: model, version, key, value }, context) => {
      await tagVersion(desk, { model, version, key, value }, requesterOf(context));
      return {};
    },
    deleteModelVersionTag: async ({ name: model, version, key }, context) => {
      await untagVersion(desk, { model, version, key }, requesterOf(context));
      return {};
    },
  } satisfies Partial<MlflowHandlers>;
}

/** MLflow's clients give no reason, so the record says through what they came. */
const REASON = "asked through MLflow's API";

function aliasHandlers({ database, clock, ids, signer }: MlflowDependencies) {
  const desk = { database, clock, ids, signer };
  return {
    setRegisteredModelAlias: async ({ name: model, alias, version }, context) => {
      const target = { model, version, reason: REASON };
      if (alias === CHAMPION) await makeChampion(desk, target, callerOf(context));
      else await pointAlias(desk, { ...target, alias }, requesterOf(context));
      return {};
    },
    deleteRegisteredModelAlias: async ({ name: model, alias }, context) => {
      // MLflow's own registry takes the removal of an alias that is not set for done.
      await getModel(database.orm, model);
      if (alias === CHAMPION || (await findAlias(database.orm, model, alias)))
        await withdrawAlias(desk, { model, alias, reason: REASON }, requesterOf(context));
      return {};
    },
  } satisfies Partial<MlflowHandlers>;
}

function refusals(database: Database) {
  const refuse = (name: string, why: string) => async (): Promise<never> => {
    throw new NotOfferedToMlflowError(name, why);
  };
  return {
    // MLflow's own clients create a model before each version of it, and go on where it is there.
    createRegisteredModel: async ({ name }) => {
      const known = await getModel(database.orm, name).catch((error: unknown) => {
        if (error instanceof NotFoundError) return undefined;
        throw error;
      });
      const why = 'a model is made by its first version: run its pipeline, or `perennial register` a file';
      throw new NotOfferedToMlflowError('create registered models', why, { exists: known?.name });
    },
    renameRegisteredModel: refuse('rename registered models', 'names stand in what is on record'),
    deleteRegisteredModel: refuse(
      'delete registered models',
      'what is on record stays; retention frees what is not needed',
    ),
    createModelVersion: refuse(
      'create model versions',
      'a version is made by a pipeline, or from a file that is sent along (`perennial register model.onnx`), never from an address',
    ),
    deleteModelVersion: refuse(
      'delete model versions',
      'versions are immutable; retention frees what is not needed',
    ),
    transitionStage: refuse(
      'move versions between stages',
      'there are none: set the alias `champion` or another',
    ),
  } satisfies Partial<MlflowHandlers>;
}
