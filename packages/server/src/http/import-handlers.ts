import type { ModelImporter } from '../platform/import-model.ts';
import type { Handlers } from './route-registration.ts';

export interface ImportHandlerDependencies {
  imports: ModelImporter;
}

/** Files that were made elsewhere. */
export function importHandlers({ imports }: ImportHandlerDependencies) {
  return {
    importVersion: ({ params, body }, { principal, origin, signal }) =>
      imports.import({ model: params.model, request: body, by: principal.name, origin, signal }),
  } satisfies Partial<Handlers>;
}
