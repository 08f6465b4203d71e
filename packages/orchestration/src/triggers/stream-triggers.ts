import { durationMilliseconds, type TriggersSpec } from '@perennial/contract';
import {
  lockStream,
  moveStreamCursor,
  streamBacklog,
  transaction,
  type StreamBacklog,
  type StreamReader,
} from '@perennial/storage';
import type { TriggerEngine, TriggerEngineDependencies } from './trigger-engine.ts';

type StreamTriggerSpec = NonNullable<TriggersSpec['stream']>;

/** Raises a trigger when enough events have gathered in a stream, or the oldest of them has waited for long enough. */
export class StreamTriggers {
  readonly #dependencies: TriggerEngineDependencies & { engine: TriggerEngine };

  constructor(dependencies: TriggerEngineDependencies & { engine: TriggerEngine }) {
    this.#dependencies = dependencies;
  }

  /** Looks at every stream that a pipeline waits for. */
  async tick(): Promise<void> {
    const { catalog } = this.#dependencies;
    for (const pipeline of catalog.names()) {
      const { stream } = catalog.get(pipeline).spec.triggers;
      if (stream !== undefined) await this.#look(pipeline, stream);
    }
  }

  async #look(pipeline: string, spec: StreamTriggerSpec): Promise<void> {
    const { database, engine } = this.#dependencies;
    const reader: StreamReader = { pipeline, stream: spec.stream };
    if (!this.#isDue(await streamBacklog(database.orm, reader), spec)) return;
    await transaction(database, async (tx) => {
      // Another scheduler may have taken them since; and no post may put an event behind the cursor.
      await lockStream(tx, spec.stream);
      const backlog = await streamBacklog(tx, reader);
      if (backlog === undefined || !this.#isDue(backlog, spec)) return;
      await moveStreamCursor(tx, reader, backlog.lastEventId);
      const cause = { stream: { stream: spec.stream, events: backlog.events } };
      await engine.fireIn(tx, { pipeline, kind: 'stream', by: `stream ${spec.stream}`, cause });
    });
  }

  #isDue(backlog: StreamBacklog | undefined, { events, within }: StreamTriggerSpec): boolean {
    if (backlog === undefined) return false;
    const waited = this.#dependencies.clock.now().getTime() - backlog.oldestAt.getTime();
    return backlog.events >= events || waited >= durationMilliseconds(within);
  }
}
