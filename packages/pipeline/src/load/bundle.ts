import { readFile, realpath } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  build,
  transform,
  type BuildResult,
  type Loader,
  type OnResolveArgs,
  type Plugin,
  type PluginBuild,
} from 'esbuild';

/** A pipeline file and everything local that it imports, as one module. */
export interface Bundle {
  /** ECMAScript module text; imports packages by file URL, so it may lie anywhere. */
  code: string;
  /** Its source map as JSON; sources are relative to the pipeline's folder. Apart from the code, so that nothing looks for the sources there. */
  sourceMap: string;
  /** The local files that went in: paths relative to the pipeline's folder with forward slashes, sorted. */
  inputs: string[];
}

/**
 * Bundles a pipeline file. Local files go in; packages are resolved from where they are imported and stay outside, so that the pipeline and
 * the platform share one copy of each.
 *
 * @throws esbuild's BuildFailure on a syntax error or an import that does not resolve
 */
export async function bundlePipeline(file: string): Promise<Bundle> {
  const path = await realpath(file);
  const folder = dirname(path);
  const result = await build({
    entryPoints: [path],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    outfile: join(folder, 'pipeline.bundle.mjs'),
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Any condition at all turns off esbuild's own `module`, which Node does not know and which may lead to code Node cannot load.
    conditions: ['node'],
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [packagesOutside, ownImportMeta],
  });
  return {
    code: outputOf(result, '.mjs'),
    sourceMap: outputOf(result, '.mjs.map'),
    inputs: localInputs(Object.keys(result.metafile.inputs), folder),
  };
}

function outputOf({ outputFiles }: BuildResult<{ write: false }>, ending: string): string {
  const output = outputFiles.find(({ path }) => path.endsWith(ending));
  if (output === undefined) throw new Error(`esbuild wrote no ${ending} file`);
  return output.text;
}

function localInputs(inputs: string[], folder: string): string[] {
  return inputs.map((input) => relative(folder, resolve(folder, input)).split(sep).join('/')).sort();
}

/** Marks our own second resolution of an import, so that it is left to esbuild. */
const RESOLVING = { perennial: 'resolving' };

/** Leaves packages outside the bundle, under the URL they resolve to. */
const packagesOutside: Plugin = {
  name: 'packages-outside',
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, async (args) => {
      if (args.pluginData === RESOLVING || args.kind === 'entry-point') return undefined;
      if (isBuiltin(args.path)) return { path: args.path, external: true };
      return outsideResult(builder, args);
    });
  },
};

async function outsideResult(builder: PluginBuild, args: OnResolveArgs) {
  const { kind, importer, resolveDir } = args;
  const found = await builder.resolve(args.path, { kind, importer, resolveDir, pluginData: RESOLVING });
  if (found.errors.length > 0) return { errors: found.errors };
  // TypeScript reached by a bare name is a path alias or an unbuilt workspace: Node 20 cannot load it, so it goes in.
  if (found.external || /\.[cm]?tsx?$/.test(found.path)) return found;
  return { path: pathToFileURL(found.path).href, external: true };
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** Makes `import.meta` in each local file speak of that file instead of the bundle. */
const ownImportMeta: Plugin = {
  name: 'own-import-meta',
  setup(builder) {
    builder.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, async ({ path }) => {
      const contents = await readFile(path, 'utf8');
      if (!contents.includes('import.meta')) return undefined;
      return { contents: await withOwnImportMeta(path, contents), loader: 'js' };
    });
  },
};

async function withOwnImportMeta(path: string, contents: string): Promise<string> {
  const { code } = await transform(contents, {
    loader: path.replace(/^.*\.[cm]?/, '') as Loader,
    sourcefile: path,
    sourcemap: 'inline',
    target: 'node20',
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(path).href),
      'import.meta.filename': JSON.stringify(path),
      'import.meta.dirname': JSON.stringify(dirname(path)),
    },
  });
  return code;
}
