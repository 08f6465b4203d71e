/** Variables of a process by name, as the composition root read them. */
export type ProcessEnvironment = Readonly<Record<string, string | undefined>>;

/** What any program needs to find others, its user's files and its language. */
const COMMAND_VARIABLES = ['PATH', 'HOME', 'LANG'];

/** What a training process needs beside: where to find libraries and devices. */
const TRAINING_VARIABLES = [...COMMAND_VARIABLES, 'LC_ALL', 'TMPDIR', 'NODE_OPTIONS', 'LD_LIBRARY_PATH'];
/** TensorFlow, CUDA, NVIDIA's container runtime and Vulkan's loader. */
const TRAINING_PREFIXES = ['TF_', 'CUDA_', 'NVIDIA_', 'VK_'];

/**
 * What a training process may see of the platform's variables. The rest stays behind: among it are the addresses and keys of database and
 * object store, and author's code runs there.
 */
export function trainingEnvironment(variables: ProcessEnvironment): Record<string, string> {
  return picked(
    variables,
    (name) =>
      TRAINING_VARIABLES.includes(name) || TRAINING_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
}

/** What a training command may see: the least that programs need, and what its pipeline names. */
export function commandEnvironment(
  variables: ProcessEnvironment,
  named: readonly string[],
): Record<string, string> {
  return picked(variables, (name) => COMMAND_VARIABLES.includes(name) || named.includes(name));
}

function picked(variables: ProcessEnvironment, wanted: (name: string) => boolean): Record<string, string> {
  const entries = Object.entries(variables).flatMap(([name, value]) =>
    value !== undefined && wanted(name) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries);
}
