import type { DoctorReport } from '@perennial/contract';
import { detectBackends } from '@perennial/training';
import type { Config } from '../config/config.ts';
import { accessCheckup, runtimeCheckup, trainingCheckup } from './checkups.ts';

/** What can be said of a machine on which no platform runs. */
export async function examineMachine(config: Config): Promise<DoctorReport> {
  return {
    checkups: [
      runtimeCheckup(),
      accessCheckup(config),
      trainingCheckup(await detectBackends(config.environment)),
    ],
  };
}
