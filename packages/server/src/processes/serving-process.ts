import { loadConfig } from '../config/config.ts';
import { createLogger } from '../platform/logger.ts';
import { startPlatform, type Platform } from '../platform/platform.ts';
import type { Assignment, FromProcess, ToProcess } from './messages.ts';
import { processConfig } from './process-config.ts';

/** One serving process of a fleet, as the one that started it sees it: told over the channel between them what to do, and gone when that is. */
export class ServingProcess {
  readonly #tell: (message: FromProcess) => void;
  readonly #end: (code: number) => void;
  readonly #wanted = new Map<number, (text: string) => void>();
  #starting: Promise<Platform> | undefined;
  #lastWanted = 0;

  /** @param end - ends the process */
  constructor(tell: (message: FromProcess) => void, end: (code: number) => void) {
    this.#tell = tell;
    this.#end = end;
  }

  async take(message: ToProcess): Promise<void> {
    switch (message.kind) {
      case 'start':
        return this.#start(message.assignment);
      case 'metrics-wanted':
        return this.#giveMetrics(message.id);
      case 'fleet-metrics':
        this.#wanted.get(message.id)?.(message.text);
        this.#wanted.delete(message.id);
        return;
      case 'stop':
        return this.stop();
    }
  }

  /** Finishes what is under way, ships the journal, and ends. */
  async stop(): Promise<void> {
    const platform = await this.#starting?.catch(() => undefined);
    await platform?.close();
    this.#end(0);
  }

  async #start(assignment: Assignment): Promise<void> {
    try {
      const config = processConfig(loadConfig(assignment.overrides), assignment);
      const logger = createLogger(config.logLevel);
      this.#starting = startPlatform({ config, logger, fleetMetrics: () => this.#fleetMetrics() });
      const { url, pipelines } = await this.#starting;
      this.#tell({ kind: 'up', url, pipelines });
    } catch (error) {
      this.#tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      this.#end(1);
    }
  }

  async #giveMetrics(id: number): Promise<void> {
    const platform = await this.#starting?.catch(() => undefined);
    this.#tell({ kind: 'metrics', id, metrics: (await platform?.metrics.getMetricsAsJSON()) ?? [] });
  }

  #fleetMetrics(): Promise<string> {
    const id = ++this.#lastWanted;
    return new Promise((resolve) => {
      this.#wanted.set(id, resolve);
      this.#tell({ kind: 'fleet-metrics-wanted', id });
    });
  }
}
