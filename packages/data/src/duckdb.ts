import { createRequire } from 'node:module';
import type * as api from '@duckdb/node-api';

/**
 * DuckDB by `require`: an `import` of its 181 CommonJS files first scans each for its exports, which takes 0.14 s of every training process's
 * start. The classes are the same ones either way.
 */
export const duckdb = createRequire(import.meta.url)('@duckdb/node-api') as typeof api;
