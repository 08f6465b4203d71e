import { backendNameSchema, type BackendName } from '@perennial/contract';
import type { BackendReport } from './backends/backend.ts';
import { TrainingFailedError } from './errors.ts';
import { trainingEnvironment, type ProcessEnvironment } from './process-environment.ts';
import { runInProcess } from './training-process.ts';

/** A driver that hangs must not hang the doctor. */
const PROBE_TIMEOUT = 30_000;

/**
 * Which training backends this machine has, best first. Each is started in a process of its own, since a native library that does not fit
 * the machine may take its process down. `environment` are the platform's variables, of which a probe sees what a training would.
 */
export async function detectBackends(environment: ProcessEnvironment = {}): Promise<BackendReport[]> {
  const seen = trainingEnvironment(environment);
  return Promise.all(backendNameSchema.options.map((name) => probe(name, seen)));
}

async function probe(name: BackendName, environment: Record<string, string>): Promise<BackendReport> {
  try {
    const options = { timeout: PROBE_TIMEOUT, environment };
    const last = await runInProcess({ kind: 'probe', backend: name }, options);
    if (last.kind === 'probed') return last.report;
    throw new TrainingFailedError(`its process answered '${last.kind}'.`);
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    return { name, usable: false, device: null, missing };
  }
}
