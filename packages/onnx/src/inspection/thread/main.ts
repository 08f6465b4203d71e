import { parentPort, workerData } from 'node:worker_threads';
import { ModelRefusedError } from '../../errors.ts';
import { examine, type ExaminationReport, type GivenFile } from '../examine.ts';

/** The thread that looks at one file, and ends. */
const given = workerData as GivenFile;
const report = attempt();
parentPort?.postMessage(report, report.kind === 'sound' ? [report.examined.bytes.buffer] : []);

function attempt(): ExaminationReport {
  try {
    return { kind: 'sound', examined: examine(given) };
  } catch (error) {
    if (error instanceof ModelRefusedError) return { kind: 'refused', reason: error.reason };
    throw error;
  }
}
