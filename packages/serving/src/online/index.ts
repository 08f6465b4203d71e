/**
 * All that answers predictions, and nothing that needs a database: for a process or a thread that does that alone. The whole package brings the database's libraries along,
 * which take a fifth of a second of a core to load.
 */
export { cacheUseOf } from '../caches/version-cache.ts';
export { OverloadedError } from '../errors.ts';
export { Journal } from '../journal/journal.ts';
export { ArtifactCache } from '../models/artifact-cache.ts';
export { ChampionTable } from '../models/champion-table.ts';
export { ServedModels } from '../models/served-models.ts';
export { LargeRequestThread } from '../workers/large-request-thread.ts';
export { stepBack } from '../workers/step-back.ts';
export { isPlainRequest } from './check-request.ts';
export { newPhases } from './prediction-phases.ts';
export { PredictionService } from './prediction-service.ts';
