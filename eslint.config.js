import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * Which packages of ours each package may import: the table of docs/architecture.md. Imports point up it; a package that is not in the
 * table, or imports below itself, is a lint error.
 */
const MAY_IMPORT = {
  contract: [],
  pipeline: ['contract'],
  onnx: ['contract'],
  storage: ['contract'],
  data: ['contract', 'pipeline', 'onnx', 'storage'],
  training: ['contract', 'pipeline', 'onnx', 'storage', 'data'],
  validation: ['contract', 'pipeline', 'onnx', 'storage', 'data'],
  registry: ['contract', 'storage'],
  serving: ['contract', 'pipeline', 'onnx', 'storage', 'registry'],
  monitoring: ['contract', 'storage', 'registry'],
  orchestration: [
    'contract',
    'pipeline',
    'onnx',
    'storage',
    'data',
    'training',
    'validation',
    'registry',
    'serving',
    'monitoring',
  ],
  server: [
    'contract',
    'pipeline',
    'onnx',
    'storage',
    'data',
    'training',
    'validation',
    'registry',
    'serving',
    'monitoring',
    'orchestration',
  ],
  client: ['contract'],
  cli: ['contract', 'client', 'server'],
};

const packages = readdirSync(new URL('packages', import.meta.url));
for (const name of packages) {
  if (!(name in MAY_IMPORT))
    throw new Error(`packages/${name} is not in the import table of eslint.config.js`);
  checkDeclared(name);
}

/** What a package declares must be what the table allows, or npm's hoisting would let a wrong import work until it does not. */
function checkDeclared(name) {
  const manifest = JSON.parse(
    readFileSync(new URL(`packages/${name}/package.json`, import.meta.url), 'utf8'),
  );
  const declared = Object.keys(manifest.dependencies ?? {}).filter((dependency) =>
    dependency.startsWith('@perennial/'),
  );
  for (const dependency of declared) {
    const target = dependency.slice('@perennial/'.length);
    if (!MAY_IMPORT[name].includes(target))
      throw new Error(`packages/${name} declares ${dependency}: the import table forbids it`);
  }
}

/** Importing a package that may not be imported, or the insides of any package. */
function importDirection(name) {
  const forbidden = packages.filter((other) => other !== name && !MAY_IMPORT[name].includes(other));
  return {
    files: [`packages/${name}/src/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@perennial/*/src/*', '@perennial/*/dist/*', '../../../*/src/*'],
              message: 'Import the package, not its insides.',
            },
            ...forbidden.map((other) => ({
              group: [`@perennial/${other}`, `@perennial/${other}/*`],
              message: `The import table does not let ${name} import ${other}.`,
            })),
          ],
        },
      ],
    },
  };
}

const root = fileURLToPath(new URL('.', import.meta.url));

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/generated/**', '**/*.config.ts', '.perennial/**', 'coverage/**', '.cache/**'],
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    settings: { 'import-x/resolver': { typescript: true, node: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/require-await': 'off',
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-self-import': 'error',
      'import-x/no-relative-packages': 'error',
      'import-x/no-default-export': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 3],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.test-d.ts', '**/testing/**'],
    rules: {
      'import-x/no-extraneous-dependencies': ['error', { devDependencies: false, includeTypes: false }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['packages/server/src/config/**', '**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only server/config reads the environment; take an option instead.',
        },
      ],
    },
  },
  { files: ['**/*.test.ts', '**/*.test-d.ts', 'test/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  {
    files: ['pipelines/**/pipeline.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  ...packages.map(importDirection),
);
