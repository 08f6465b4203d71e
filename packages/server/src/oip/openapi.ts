import { DATATYPES } from './datatypes.ts';
import { OIP_ROUTES, type OipRoute } from './routes.ts';

type Json = Record<string, unknown>;

const text: Json = { type: 'string' };
const bool: Json = { type: 'boolean' };
const listOf = (items: Json): Json => ({ type: 'array', items });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function object(properties: Json, required: string[] = Object.keys(properties)): Json {
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
}

const parameters: Json = {
  type: 'object',
  additionalProperties: { oneOf: [bool, { type: 'integer', format: 'int64' }, text] },
};

const tensor = {
  name: text,
  shape: listOf({ type: 'integer', format: 'int64', minimum: 0 }),
  datatype: { type: 'string', enum: [...DATATYPES] },
  parameters,
  data: {
    type: 'array',
    items: {},
    description:
      'Row by row, flat or nested as the shape is. Absent where parameters.binary_data_size says how many bytes behind the JSON they are.',
  },
};

const metadataTensor = object(
  { name: text, datatype: tensor.datatype, shape: listOf({ type: 'integer' }), parameters },
  ['name', 'datatype', 'shape'],
);

const SCHEMAS: Json = {
  Error: object({ error: text }),
  Live: object({ live: bool }),
  Ready: object({ live: bool, ready: bool }),
  ModelReady: object({ name: text, ready: bool }),
  ServerMetadata: object({ name: text, version: text, extensions: listOf(text) }),
  ModelMetadata: object({
    name: text,
    versions: listOf(text),
    platform: text,
    inputs: listOf(metadataTensor),
    outputs: listOf(metadataTensor),
  }),
  InferRequest: object(
    {
      id: text,
      parameters,
      inputs: listOf(object(tensor, ['name', 'shape', 'datatype'])),
      outputs: listOf(object({ name: text, parameters }, ['name'])),
    },
    ['inputs'],
  ),
  InferResponse: object(
    {
      model_name: text,
      model_version: text,
      id: text,
      parameters,
      outputs: listOf(object(tensor, ['name', 'shape', 'datatype'])),
    },
    ['model_name', 'model_version', 'parameters', 'outputs'],
  ),
  IndexRequest: object({ ready: bool }, []),
  Index: listOf(
    object(
      {
        name: text,
        version: text,
        state: { type: 'string', enum: ['READY', 'LOADING', 'UNLOADING', 'UNAVAILABLE'] },
        reason: text,
      },
      ['name', 'state', 'reason'],
    ),
  ),
  RepositoryRequest: object({ parameters }, []),
  Done: object({}),
};

/** What is sent and what is answered, by the last part of the path. */
const SHAPES: Record<string, { request?: string; response: string }> = {
  live: { response: 'Live' },
  'health/ready': { response: 'Ready' },
  ready: { response: 'ModelReady' },
  infer: { request: 'InferRequest', response: 'InferResponse' },
  index: { request: 'IndexRequest', response: 'Index' },
  load: { request: 'RepositoryRequest', response: 'Done' },
  unload: { request: 'RepositoryRequest', response: 'Done' },
  v2: { response: 'ServerMetadata' },
};

/** The OpenAPI 3.0 document of the protocol's routes: 3.0 and no later, as the protocol's own is. */
export function oipDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries<OipRoute>(OIP_ROUTES))
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(name, route) };
  return {
    openapi: '3.0.3',
    info: {
      title: 'Perennial: Open Inference Protocol',
      version,
      description: 'The Open Inference Protocol, version 2, with binary tensors and the model repository.',
    },
    paths,
    components: { schemas: SCHEMAS, securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    security: [{ bearer: [] }],
  };
}

function operation(name: string, route: OipRoute): Json {
  const { path, role, summary } = route;
  const { request, response } = shapesOf(path);
  const binary = path.endsWith('/infer');
  return {
    operationId: name,
    summary,
    description: role === 'public' ? 'For everybody.' : `Needs the role \`${role}\`.`,
    tags: ['v2'],
    ...(role === 'public' ? { security: [] } : {}),
    parameters: [...pathParameters(path), ...(binary ? [HEADER_LENGTH] : [])],
    ...(request === undefined
      ? {}
      : { requestBody: { required: binary, content: contentOf(request, binary) } }),
    responses: {
      200: { description: 'Success', content: contentOf(response, binary) },
      default: { description: 'What went wrong', content: contentOf('Error', false) },
    },
  };
}

const HEADER_LENGTH: Json = {
  name: 'Inference-Header-Content-Length',
  in: 'header',
  required: false,
  description: 'Bytes of the JSON, where tensors follow it as bytes.',
  schema: { type: 'integer', minimum: 1 },
};

function contentOf(schema: string, binary: boolean): Json {
  return {
    'application/json': { schema: ref(schema) },
    ...(binary ? { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } : {}),
  };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'version' ? { type: 'integer', minimum: 1 } : text,
  }));
}

function shapesOf(path: string): { request?: string; response: string } {
  if (path.startsWith('/v2/health/ready')) return SHAPES['health/ready'] ?? { response: 'Ready' };
  const last = path.split('/').filter(Boolean).at(-1) ?? '';
  return SHAPES[last] ?? { response: 'ModelMetadata' };
}
