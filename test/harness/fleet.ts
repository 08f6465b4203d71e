import { VictimProcess } from './victim-process.ts';

/** Processes of one platform, by name, each of which can be killed and started again. */
export class Fleet {
  readonly #environment: Record<string, string>;
  readonly #processes = new Map<string, VictimProcess>();

  /** @param environment what all processes share; their roles come with `start` */
  constructor(environment: Record<string, string>) {
    this.#environment = environment;
  }

  async start(name: string, roles: string, extra: Record<string, string> = {}): Promise<VictimProcess> {
    const process = await VictimProcess.start({ ...this.#environment, PERENNIAL_ROLES: roles, ...extra });
    this.#processes.set(name, process);
    return process;
  }

  get(name: string): VictimProcess {
    const process = this.#processes.get(name);
    if (!process) throw new Error(`No process is called ${name}.`);
    return process;
  }

  async kill(name: string): Promise<void> {
    const process = this.get(name);
    this.#processes.delete(name);
    await process.kill();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.stop()));
    this.#processes.clear();
  }
}
