import { durationMilliseconds, type TrainingProgress } from '@perennial/contract';
import { TrainingFailedError } from './errors.ts';
import type { FittedResult, TrainingJob } from './job.ts';
import { trainingEnvironment, type ProcessEnvironment } from './process-environment.ts';
import type { TrainerReserve } from './trainer-reserve.ts';
import { runInProcess } from './training-process.ts';

export interface TrainOptions {
  /** Called as the process reports; what it writes to its output comes as `log`. */
  onProgress?: (progress: TrainingProgress) => void;
  /**
   * The platform's variables; the training process sees those of them that it needs, and none that holds a secret.
   * @default none
   */
  environment?: ProcessEnvironment;
  /** Where a process may wait for this training, in the job's working folder and with the same variables. @default one is started now */
  reserve?: TrainerReserve | undefined;
  /** Stops the training at once; `train` then throws the signal's reason. */
  signal?: AbortSignal;
}

export interface TrainingOutcome {
  result: FittedResult;
  /** The artifact's file: the one that the job names. */
  outputFile: string;
}

/**
 * Fits the network of a pipeline on a dataset version, in a process of its own, and writes it as an artifact that answers as the network
 * does. The same job on the same backend writes the same bytes.
 *
 * @throws TrainFunctionError, UnsupportedLayerError, NetworkShapeError when a custom network fails, cannot be exported or does not fit
 * @throws DivergedError when the loss stops being a number
 * @throws ParityError when exported file and network disagree
 * @throws BackendUnavailableError when the backend asked for is not usable
 * @throws TrainingFailedError when the process dies, takes longer than `spec.timeout`, or meets an error nobody foresaw
 * @throws ReportedError with the code of another package's error
 */
export async function train(job: TrainingJob, options: TrainOptions = {}): Promise<TrainingOutcome> {
  const last = await runInProcess(
    { kind: 'train', job },
    {
      folder: job.workFolder,
      child: options.reserve?.take(),
      environment: trainingEnvironment(options.environment ?? {}),
      timeout: durationMilliseconds(job.spec.timeout),
      signal: options.signal,
      onProgress: options.onProgress,
    },
  );
  if (last.kind !== 'done') throw new TrainingFailedError(`its process answered '${last.kind}'.`);
  return { result: last.result, outputFile: job.outputFile };
}
