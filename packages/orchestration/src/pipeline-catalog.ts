import { NotFoundError, type Clock } from '@perennial/contract';
import { loadPipelines, type LoadedPipeline } from '@perennial/pipeline/load';
import { saveEndpoint, savePipeline, type Database } from '@perennial/storage';
import { requireTimetable } from './triggers/timetable.ts';

/** The pipelines this process has loaded from files, by name. */
export class PipelineCatalog {
  readonly #pipelines: ReadonlyMap<string, LoadedPipeline>;

  private constructor(pipelines: LoadedPipeline[]) {
    this.#pipelines = new Map(pipelines.map((pipeline) => [pipeline.spec.name, pipeline]));
  }

  /**
   * Loads every pipeline file of a folder and writes the definitions down.
   * @throws PipelineInvalidError naming the file and the field
   */
  static async load(folder: string, on: { database: Database; clock: Clock }): Promise<PipelineCatalog> {
    return PipelineCatalog.of(await loadPipelines(folder), on);
  }

  /**
   * A catalogue of pipelines that are loaded already; writes their definitions down.
   * @throws PipelineInvalidError when a schedule or quiet hours make no sense
   */
  static async of(
    pipelines: LoadedPipeline[],
    { database, clock }: { database: Database; clock: Clock },
  ): Promise<PipelineCatalog> {
    for (const pipeline of pipelines) requireTimetable(pipeline);
    for (const { spec, codeDigest } of pipelines) {
      const at = clock.now();
      await savePipeline(database.orm, { spec, codeDigest, loadedAt: at });
      const { name, serving } = spec;
      await saveEndpoint(database.orm, { name, serving, source: 'pipeline', at, by: `pipeline:${name}` });
    }
    return new PipelineCatalog(pipelines);
  }

  names(): string[] {
    return [...this.#pipelines.keys()];
  }

  /** @throws NotFoundError */
  get(name: string): LoadedPipeline {
    const pipeline = this.#pipelines.get(name);
    if (!pipeline) throw new NotFoundError('pipeline', name);
    return pipeline;
  }
}
