import type { BackendName } from '@perennial/contract';
import { BackendUnavailableError } from '../errors.ts';
import { tf } from '../tensorflow.ts';

/** Makes a registered TensorFlow.js backend the one in use. `registered` is its name within TensorFlow.js. */
export async function startRegistered(name: BackendName, registered: string): Promise<void> {
  // Without its checks for NaN and its messages about faster backends.
  tf.enableProdMode();
  const started = await tf.setBackend(registered);
  if (!started) throw new BackendUnavailableError(name, 'TensorFlow.js could not initialise it.');
  await tf.ready();
}

/** An optional package of the backend, or the error that says which package to install. */
export async function importOptional(name: BackendName, specifier: string): Promise<Record<string, unknown>> {
  try {
    return (await import(specifier)) as Record<string, unknown>;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
    // A package that is there may lack one of its own dependencies, which reads the same but for the name.
    const absent = text.includes(`Cannot find package '${specifier}'`);
    const missing = absent
      ? `the package '${specifier}' is not installed.`
      : `'${specifier}' did not load: ${text}`;
    throw new BackendUnavailableError(name, missing, { cause });
  }
}
