import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PEERS } from './environment.ts';
import { COLUMNS, instanceBody, type Peer, type Place } from './peer.ts';

const RUNTIME = ['onnxruntime', 'numpy'];
const PYTHON = [...RUNTIME, 'onnx', 'fastapi', 'uvicorn[standard]', 'starlette', 'orjson'];

function uvicorn(app: string, { port }: Place) {
  const speed = ['--loop', 'uvloop', '--http', 'httptools', '--workers', '1'];
  const quiet = ['--no-access-log', '--log-level', 'error'];
  return {
    program: 'uvicorn',
    args: [app, '--host', '127.0.0.1', '--port', String(port), ...speed, ...quiet],
  };
}

/** The peers of the targets: neither logs a prediction. */
export const FASTAPI: Peer = {
  name: 'FastAPI',
  packages: PYTHON,
  start: (place) => uvicorn('fastapi_app:app', place),
  path: '/predict',
  body: instanceBody,
};
export const STARLETTE: Peer = {
  name: 'Starlette + orjson',
  packages: PYTHON,
  start: (place) => uvicorn('starlette_app:app', place),
  path: '/predict',
  body: instanceBody,
};

const tensorBody = (row: readonly number[]) =>
  JSON.stringify({ inputs: [{ name: 'features', shape: [1, 20], datatype: 'FP32', data: row }] });

/** Servers of models that others come from. */
export const OTHERS: Peer[] = [
  {
    name: 'MLflow',
    packages: ['mlflow', 'onnx', 'pandas', ...RUNTIME],
    prepare: ({ model, folder }) => ({
      program: 'python',
      args: [join(PEERS, 'mlflow_model.py'), model, join(folder, 'model')],
    }),
    start: ({ port, folder }) => ({
      program: 'mlflow',
      args: [
        'models',
        'serve',
        '-m',
        join(folder, 'model'),
        '-p',
        String(port),
        '--env-manager',
        'local',
        '-w',
        '1',
      ],
      env: { MLFLOW_TRACKING_URI: `sqlite:///${join(folder, 'mlflow.db')}` },
    }),
    path: '/invocations',
    body: (row) => JSON.stringify({ inputs: { features: [row] } }),
  },
  {
    name: 'BentoML',
    packages: ['bentoml', ...RUNTIME],
    start: ({ port }) => ({
      program: 'bentoml',
      args: ['serve', 'bentoml_service:Predictor', '--host', '127.0.0.1', '--port', String(port)],
      env: { BENTOML_DO_NOT_TRACK: 'true' },
    }),
    path: '/predict',
    body: (row) => JSON.stringify({ rows: [row] }),
  },
  {
    name: 'LitServe',
    packages: ['litserve', ...RUNTIME],
    start: ({ port }) => ({
      program: 'python',
      args: [join(PEERS, 'litserve_server.py')],
      env: { PEER_PORT: String(port) },
    }),
    path: '/predict',
    body: instanceBody,
  },
  {
    name: 'MLServer',
    packages: ['mlserver', ...RUNTIME],
    prepare: (place) => {
      writeMlserverSettings(place);
      return undefined;
    },
    start: ({ folder }) => ({ program: 'mlserver', args: ['start', folder] }),
    path: '/v2/models/predictor/infer',
    body: tensorBody,
  },
  {
    name: 'Triton',
    packages: ['nvidia-pytriton', ...RUNTIME],
    start: ({ port }) => ({
      program: 'python',
      args: [join(PEERS, 'pytriton_server.py')],
      env: { PEER_PORT: String(port) },
    }),
    path: '/v2/models/predictor/infer',
    body: tensorBody,
  },
];

/** One process without workers of its own, which for so small a network only cost. */
function writeMlserverSettings({ model, port, folder }: Place): void {
  mkdirSync(folder, { recursive: true });
  const settings = {
    http_port: port,
    grpc_port: port + 1,
    metrics_port: port + 2,
    parallel_workers: 0,
    debug: false,
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  const parameters = { uri: model };
  const implementation = 'mlserver_runtime.Predictor';
  writeFileSync(
    join(folder, 'model-settings.json'),
    JSON.stringify({ name: 'predictor', implementation, parameters }),
  );
}

/** A row of numbers that are no round ones. */
export function sampleRow(seed: number): number[] {
  return COLUMNS.map((_, i) => Number((Math.sin(seed * 31 + i * 7) * 3).toFixed(4)));
}
