import { expectTypeOf } from 'vitest';
import type { UnfilteredList } from './model-scope.ts';
import type { ResourceParameter } from './resource-owners.ts';

// Whoever adds to these says whose the thing is, in the table of the same file: without that it does not compile.
expectTypeOf<UnfilteredList>().toEqualTypeOf<'listEndpoints' | 'listModels' | 'listPipelines'>();
expectTypeOf<ResourceParameter>().toEqualTypeOf<
  | 'run'
  | 'release'
  | 'prediction'
  | 'asyncPrediction'
  | 'batch'
  | 'backfill'
  | 'alert'
  | 'reproduction'
  | 'dataset'
>();
