import { InvalidRequestError, versionNumberSchema } from '@perennial/contract';
import type { ColumnPredictor } from '@perennial/serving';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Principal } from '../http/authentication.ts';
import { checkPart } from '../http/invalid-request.ts';
import { readJsonBody } from '../http/json-body.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Readiness } from '../platform/readiness.ts';
import { inferTensors } from './infer.ts';
import { SERVER_METADATA, type ModelDirectory, type Target } from './model-directory.ts';
import { readBody } from './read-body.ts';
import type { OipRouteName } from './routes.ts';

export interface OipContext {
  c: Context;
  principal: Principal;
  /** What the path names, checked; a model on every route that has one. */
  target: Target;
}

/** One handler for every route of the table; a missing one does not compile. */
export type OipHandlers = Record<OipRouteName, (context: OipContext) => Promise<Response>>;

export interface OipDependencies {
  predictor: ColumnPredictor;
  directory: ModelDirectory;
  readiness: Readiness;
  metrics: Metrics;
  maxBodyBytes: number;
}

export function createOipHandlers(dependencies: OipDependencies): OipHandlers {
  const metadata: OipHandlers['serverMetadata'] = async ({ c }) => c.json(SERVER_METADATA);
  const { directory } = dependencies;
  const describe: OipHandlers['modelMetadata'] = async ({ c, target }) =>
    c.json(await directory.describe(target));
  const modelReady: OipHandlers['modelReady'] = async ({ c, target }) => {
    const error = await directory.whyNotReady(target);
    return error === undefined
      ? c.json({ name: target.model, ready: true })
      : c.json({ name: target.model, ready: false, error }, 503);
  };
  const infer: OipHandlers['modelInfer'] = ({ c, target }) => answerInference(c, target, dependencies);
  return {
    ...healthHandlers(dependencies),
    ...repositoryHandlers(dependencies),
    serverMetadata: metadata,
    serverMetadataSlash: metadata,
    modelMetadata: describe,
    versionMetadata: describe,
    modelReady,
    versionReady: modelReady,
    modelInfer: infer,
    versionInfer: infer,
  };
}

/** The protocol's text has `live` in both answers and its gRPC form `ready` in one: whoever asks finds either. */
function healthHandlers({ readiness }: OipDependencies) {
  return {
    serverLive: async ({ c }) => c.json({ live: true }),
    serverReady: async ({ c }) => {
      const { ready } = await readiness.check();
      return ready
        ? c.json({ live: true, ready })
        : c.json({ live: true, ready, error: 'The server is stopping.' }, 503);
    },
  } satisfies Partial<OipHandlers>;
}

const indexRequest = z.object({ ready: z.boolean().default(false) });
const repositoryRequest = z.object({
  parameters: z.record(z.string(), z.unknown()).default({}),
});

function repositoryHandlers({ directory, maxBodyBytes }: OipDependencies) {
  const targetOf = async ({ c, target }: OipContext): Promise<Target> => {
    const { parameters } = checkPart('body', repositoryRequest, await readJsonBody(c, maxBodyBytes));
    const { version, ...others } = parameters;
    const foreign = Object.keys(others).find((name) => name !== 'unload_dependents');
    if (foreign !== undefined)
      throw new InvalidRequestError(
        `The parameter '${foreign.slice(0, 80)}' is not taken: what a model is comes from its registered version alone.`,
      );
    return version === undefined
      ? target
      : { ...target, ...checkPart('body', z.object({ version: versionNumberSchema }), { version }) };
  };
  return {
    repositoryIndex: async ({ c, principal }) => {
      const { ready } = checkPart('body', indexRequest, await readJsonBody(c, maxBodyBytes));
      return c.json(directory.index({ only: principal.models, ready }));
    },
    repositoryLoad: async (context) => {
      await directory.load(await targetOf(context));
      return context.c.json({});
    },
    repositoryUnload: async (context) => {
      await directory.unload(await targetOf(context));
      return context.c.json({});
    },
  } satisfies Partial<OipHandlers>;
}

async function answerInference(
  c: Context,
  target: Target,
  { predictor, metrics, maxBodyBytes }: OipDependencies,
): Promise<Response> {
  const request = {
    target,
    body: await readBody(c, maxBodyBytes),
    headerLength: c.req.header('inference-header-content-length'),
    cacheControl: c.req.header('cache-control'),
  };
  const { headers, body } = await inferTensors(request, { predictor, metrics });
  return new Response(body as string | Uint8Array<ArrayBuffer>, { headers });
}
