import { readFile } from 'node:fs/promises';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Calibration, TrainingProgress } from '@perennial/contract';
import { Encoder, isAdopted, readArtifact, writeArtifact, type NetworkGraph } from '@perennial/onnx';
import { startBackend, type StartedBackend } from '../backends/choose-backend.ts';
import { calibrate, calibratedBy, type AnsweringNetwork } from '../calibration/calibrate.ts';
import { encodeSplit } from '../encode-split.ts';
import { TrainFunctionError, TrainingFailedError } from '../errors.ts';
import { fit } from '../fit/fit.ts';
import type { EncodedRows } from '../fit/encoded-rows.ts';
import { seedProcess } from '../fit/random.ts';
import { hardware } from '../hardware.ts';
import type { Champion, FittedResult, TrainingJob } from '../job.ts';
import { linearBaseline } from '../linear/linear-baseline.ts';
import { architecture } from '../network/architecture.ts';
import { buildCustom } from '../network/custom.ts';
import { networkInputs } from '../network/layout.ts';
import { buildMlp } from '../network/mlp.ts';
import { inputNames, inputsOf, networkGraph } from '../network/network-graph.ts';
import { walkNetwork } from '../network/walk.ts';
import { checkParity } from '../parity.ts';
import { warmStart } from '../warm-start/warm-start.ts';
import { writeWhole } from '../write-whole.ts';

type ProgressListener = (progress: TrainingProgress) => void;

/** The whole of a training job, in the process of its own: from Parquet to an artifact that was checked against its network. */
export async function runTraining(job: TrainingJob, onProgress: ProgressListener): Promise<FittedResult> {
  const started = performance.now();
  seedProcess(job.spec.seed);
  const backend = await startBackend(job.backend ?? 'auto');
  const encoder = await Encoder.create(job.manifest.encoder);
  try {
    const training = new Training(job, { backend, encoder });
    const result = await training.run(onProgress);
    return { ...result, seconds: (performance.now() - started) / 1000 };
  } finally {
    await encoder.release();
  }
}

class Training {
  readonly #job: TrainingJob;
  readonly #backend: StartedBackend;
  readonly #encoder: Encoder;

  constructor(job: TrainingJob, { backend, encoder }: { backend: StartedBackend; encoder: Encoder }) {
    this.#job = job;
    this.#backend = backend;
    this.#encoder = encoder;
  }

  async run(onProgress: ProgressListener): Promise<Omit<FittedResult, 'seconds'>> {
    const { spec, manifest } = this.#job;
    const model = await this.#build();
    // Before anything is fitted: what cannot be exported is refused now rather than after an hour.
    this.#export(this.#graph(model));
    const start = await this.#begin(model);
    const inputs = model.inputs.map(inputNames(model, inputsOf(this.#encoder.layout)));
    const train = await this.#split('train');
    const validation = await this.#split('validation');
    if (train.rows === 0) throw new TrainingFailedError('the training split holds no rows.');
    const parameters = model.countParams();
    const { name, device } = this.#backend;
    const { epochs, note } = start;
    onProgress({ type: 'started', backend: name, device, rows: train.rows, epochs, parameters, start: note });
    const results = await fit(
      { model, spec, epochs, label: manifest.label, inputs, train, validation },
      onProgress,
    );
    const fitted = { model, label: manifest.label, inputs };
    const { calibration, ...calibrated } = await calibrate(fitted, spec.calibration, validation);
    if (calibrated.note !== undefined) onProgress({ type: 'log', line: calibrated.note });
    const graph = this.#graph(model);
    const artifact = this.#export(graph, calibration);
    const parity = await this.#checkParity(calibratedBy(fitted, calibration), artifact);
    await writeWhole(this.#job.outputFile, artifact);
    return {
      backend: name,
      device,
      seed: spec.seed,
      parameters,
      architecture: architecture(graph),
      epochs: results,
      warmStart: { ...(start.from === undefined ? {} : { from: start.from }), note },
      parity,
      calibration: calibrated.result,
      linear: await this.#fitLinear(train),
      hardware: hardware(),
    };
  }

  async #build(): Promise<LayersModel> {
    const { spec, manifest, label } = this.#job;
    const { layout } = this.#encoder;
    const inputs = networkInputs(layout);
    if (spec.kind === 'mlp') return buildMlp({ spec, layout, label: manifest.label, inputs });
    const build = await this.#trainFunction();
    return buildCustom({ build, spec, layout, inputs, label: { spec: label, fitted: manifest.label } });
  }

  async #trainFunction() {
    const { pipelineFile } = this.#job;
    if (pipelineFile === undefined)
      throw new TrainFunctionError('the job names no pipeline file to load it from');
    // Brings a bundler along, which a process that fits an mlp need not wait for.
    const { loadPipelineFile } = await import('@perennial/pipeline/load');
    const { functions } = await loadPipelineFile(pipelineFile);
    if (functions.train === undefined) throw new TrainFunctionError('the pipeline file has none any more');
    return functions.train;
  }

  #graph(model: LayersModel): NetworkGraph {
    return networkGraph(model, this.#encoder.layout, this.#job.manifest.label);
  }

  #export(network: NetworkGraph, calibration?: Calibration): Uint8Array {
    const { manifest, datasetDigest, codeDigest, spec, warmStart: champion } = this.#job;
    return writeArtifact({
      encoder: manifest.encoder,
      network,
      label: manifest.label,
      ...(calibration === undefined ? {} : { calibration }),
      properties: {
        pipeline: manifest.pipeline,
        dataset: datasetDigest,
        code: codeDigest,
        backend: this.#backend.name,
        seed: String(spec.seed),
        warmStartedFrom: (spec.warmStart && champion?.digest) ?? '',
      },
    });
  }

  /** Puts the network at the weights it begins with. */
  async #begin(model: LayersModel): Promise<{ epochs: number; note: string; from?: string }> {
    const { spec, warmStart: champion, manifest } = this.#job;
    const cold = { epochs: spec.epochs, note: `fresh weights from seed ${spec.seed}` };
    if (spec.warmStart === undefined) return cold;
    if (champion === undefined) return { ...cold, note: `${cold.note}, as there is no champion yet` };
    const bytes = await championBytes(champion);
    if (isAdopted(bytes)) return { ...cold, note: `${cold.note}, as a command trained the champion` };
    const walk = walkNetwork(model, inputNames(model, inputsOf(this.#encoder.layout)));
    const artifact = readArtifact(bytes);
    const { encoder, label } = manifest;
    const { carried, note } = warmStart({ model, walk, encoder, label, champion: artifact });
    return carried ? { epochs: spec.warmStart.epochs, note, from: champion.digest } : { ...cold, note };
  }

  async #fitLinear(train: EncodedRows): Promise<FittedResult['linear']> {
    const { linearFile: file } = this.#job;
    if (file === undefined) return null;
    const artifact = linearBaseline(this.#job, this.#encoder.layout, train);
    if (artifact === null) return null;
    await writeWhole(file, artifact);
    return { file };
  }

  #split(name: 'train' | 'validation') {
    const { files, manifest } = this.#job;
    return encodeSplit({ file: files[name], manifest, rows: manifest.splits[name].rows }, this.#encoder);
  }

  #checkParity(network: AnsweringNetwork, artifact: Uint8Array) {
    const { files, manifest } = this.#job;
    const encoder = this.#encoder;
    return checkParity({ network, manifest, encoder, artifact, files: [files.validation, files.train] });
  }
}

async function championBytes(champion: Champion): Promise<Uint8Array> {
  return 'bytes' in champion ? champion.bytes : readFile(champion.file);
}
