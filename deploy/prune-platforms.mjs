// Removes the libraries of other platforms from onnxruntime-node: `node deploy/prune-platforms.mjs node_modules [platform] [arch]`.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [nodeModules, platform = process.platform, arch = process.arch] = process.argv.slice(2);
const root = join(nodeModules, 'onnxruntime-node', 'bin');

/** bin/napi-v6/linux/x64 */
const builds = readdirSync(root).flatMap((abi) =>
  readdirSync(join(root, abi)).flatMap((system) =>
    readdirSync(join(root, abi, system)).map((machine) => ({
      system,
      machine,
      path: join(root, abi, system, machine),
    })),
  ),
);
const kept = builds.filter(({ system, machine }) => system === platform && machine === arch);
if (kept.length === 0) {
  process.stderr.write(
    `onnxruntime-node has no library for ${platform}/${arch} in ${root}; nothing was removed.\n`,
  );
  process.exit(1);
}
for (const build of builds) if (!kept.includes(build)) rmSync(build.path, { recursive: true });
