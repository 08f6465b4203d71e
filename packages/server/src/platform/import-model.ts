import { createHash } from 'node:crypto';
import {
  InvalidRequestError,
  type Clock,
  type IdGenerator,
  type InputColumn,
  type ImportRequest,
  type ModelVersionDetail,
} from '@perennial/contract';
import {
  examineFile,
  tryModel,
  type ExaminedFile,
  type GivenFile,
  type Trial,
  type TrialLimits,
} from '@perennial/onnx';
import { registerImportedVersion } from '@perennial/registry';
import { InvalidInstanceError, compileReader } from '@perennial/serving';
import {
  getModelVersion,
  holdArtifacts,
  transaction,
  type ArtifactStore,
  type Database,
} from '@perennial/storage';
import { ImportQueue } from './import-queue.ts';
import { PLATFORM_VERSION } from './version.ts';

export interface ModelImporterOptions {
  database: Database;
  artifacts: ArtifactStore;
  clock: Clock;
  ids: IdGenerator;
  /** Of the process that tries a file. */
  limits?: TrialLimits;
}

/** A file that is to be registered, and who asks for it. */
export interface ModelImport {
  model: string;
  request: ImportRequest;
  by: string;
  origin: string;
  /** Gives up, as when nobody waits for the answer any more. */
  signal?: AbortSignal;
}

/** Registers files that were made elsewhere: looks at them, tries them in a process of its own, stores and registers what passed. */
export class ModelImporter {
  readonly #options: ModelImporterOptions;
  readonly #queue = new ImportQueue();

  constructor(options: ModelImporterOptions) {
    this.#options = options;
  }

  /**
   * @throws ModelRefusedError saying what is wrong with the file
   * @throws InvalidRequestError where the sample does not fit it
   * @throws TooManyImportsError when too many wait
   */
  async import({ model, request, by, origin, signal }: ModelImport): Promise<ModelVersionDetail> {
    const { database, artifacts, clock, ids } = this.#options;
    const given = bytesOf(request.file);
    const file = { bytes: given.length, digest: digestOf(given) };
    const { description, bytes, signature } = await this.#queue.run(() => this.#take(given, request, signal));
    const artifact = await artifacts.put(bytes);
    const imported = {
      model,
      artifact,
      signature,
      file: { ...description, ...file },
      sampleRows: request.sample.length,
      description: request.description,
      lineage: {
        kind: 'imported' as const,
        by,
        producer: description.producer,
        note: request.note,
        platformVersion: PLATFORM_VERSION,
      },
      origin,
    };
    const version = await transaction(database, async (tx) => {
      await holdArtifacts(tx, artifacts, [artifact.digest]);
      return registerImportedVersion(tx, imported, { clock, ids });
    });
    return getModelVersion(database.orm, model, version);
  }

  /** Looks at a file and tries it. */
  async #take(given: GivenFile['bytes'], { sample, output }: ImportRequest, signal: AbortSignal | undefined) {
    const { description, ...examined } = await examineFile({ bytes: given, sample, output });
    return {
      description,
      ...(await tryModel(planTrial(examined, sample), { ...this.#options.limits, signal })),
    };
  }
}

/** What a file is tried with: as it is where the platform wrote it, else in the form that sample and request say. */
function planTrial(
  { bytes, columns, label }: Omit<ExaminedFile, 'description'>,
  sample: ImportRequest['sample'],
): Trial {
  return { bytes, adopt: label && { columns, label }, sample: readSample(columns, sample) };
}

function readSample(inputs: InputColumn[], sample: ImportRequest['sample']): Trial['sample'] {
  try {
    // The reader asks for a signature, of which it reads the inputs alone.
    return compileReader({ inputs, output: { kind: 'regression' } })(sample);
  } catch (error) {
    if (!(error instanceof InvalidInstanceError)) throw error;
    const issues = error.issues.map(({ path, message }) => ({
      path: path.replace(/^instances/, 'body.sample'),
      message,
    }));
    throw new InvalidRequestError('The sample does not fit the model.', issues);
  }
}

/** A memory of its own, and not a part of one: it is handed to a thread. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Buffer.byteLength(base64, 'base64'));
  Buffer.from(bytes.buffer).write(base64, 'base64');
  return bytes;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
