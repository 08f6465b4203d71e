import { NotFoundError, type Clock } from '@perennial/contract';
import {
  changeModel,
  changeVersion,
  compareVersions,
  pointAlias,
  tagModel,
  tagVersion,
  untagModel,
  untagVersion,
  withdrawAlias,
} from '@perennial/registry';
import * as storage from '@perennial/storage';
import type { HandlerContext, Handlers } from './route-registration.ts';
import { asksForJson, storedFile } from './stored-file.ts';

export interface ModelHandlerDependencies {
  database: storage.Database;
  artifacts: storage.ArtifactStore;
  clock: Clock;
}

/** Models, their versions and their aliases. */
export function modelHandlers(dependencies: ModelHandlerDependencies) {
  return {
    ...modelRoutes(dependencies),
    ...versionRoutes(dependencies),
    ...aliasRoutes(dependencies),
  } satisfies Partial<Handlers>;
}

const requesterOf = ({ principal, origin }: HandlerContext) => ({ by: principal.name, origin });

function modelRoutes({ database, clock }: ModelHandlerDependencies) {
  const db = database.orm;
  const desk = { database, clock };
  return {
    listModels: ({ query }, { principal }) => storage.listModels(db, { ...query, models: principal.models }),
    getModel: ({ params }) => storage.getModel(db, params.model),
    changeModel: ({ params, body }, context) =>
      changeModel(desk, { ...params, ...body }, requesterOf(context)),
    tagModel: ({ params, body }, context) => tagModel(desk, { ...params, ...body }, requesterOf(context)),
    untagModel: ({ params }, context) => untagModel(desk, params, requesterOf(context)),
    compareVersions: ({ params, query }) => compareVersions(db, { ...params, ...query }),
  } satisfies Partial<Handlers>;
}

function versionRoutes({ database, artifacts, clock }: ModelHandlerDependencies) {
  const db = database.orm;
  const desk = { database, clock };
  return {
    listVersions: ({ params, query }) => storage.listModelVersions(db, params.model, query),
    getVersion: ({ params }) => storage.getModelVersion(db, params.model, params.version),
    getArtifact: async ({ params }, { accept }) => {
      const version = await storage.getModelVersion(db, params.model, params.version);
      if (asksForJson(accept)) return { artifact: version.artifact, bytes: version.artifactBytes };
      const { artifact: digest, artifactBytes: bytes } = version;
      return storedFile(artifacts, { digest, bytes, name: `${params.model}-${params.version}.onnx` });
    },
    changeVersion: ({ params, body }, context) =>
      changeVersion(desk, { ...params, ...body }, requesterOf(context)),
    tagVersion: ({ params, body }, context) => tagVersion(desk, { ...params, ...body }, requesterOf(context)),
    untagVersion: ({ params }, context) => untagVersion(desk, params, requesterOf(context)),
  } satisfies Partial<Handlers>;
}

function aliasRoutes({ database, clock }: ModelHandlerDependencies) {
  const db = database.orm;
  const desk = { database, clock };
  return {
    listAliases: async ({ params, query }) => {
      await storage.getModel(db, params.model);
      return storage.listAliases(db, params.model, query);
    },
    listAliasMoves: ({ params, query }) => storage.listAliasMoves(db, params, query),
    getAlias: async ({ params, query }) => {
      const at = query.at === undefined ? clock.now() : new Date(query.at);
      const move = await storage.aliasAt(db, params, at);
      if (!move) throw new NotFoundError('alias', `${params.model}@${params.alias}`);
      return move;
    },
    moveAlias: ({ params, body }, context) => pointAlias(desk, { ...params, ...body }, requesterOf(context)),
    removeAlias: ({ params }, context) =>
      withdrawAlias(
        desk,
        { ...params, reason: `removed by ${context.principal.name}` },
        requesterOf(context),
      ),
  } satisfies Partial<Handlers>;
}
