import { parentPort, workerData } from 'node:worker_threads';
import { ModelRefusedError } from '../../errors.ts';
import { describeModel } from '../describe-model.ts';
import type { ExaminationReport, ExaminedFile, GivenFile } from '../examine-file.ts';
import { inspectModel } from '../inspect-model.ts';
import { outputLabel, ownSignature, refuseOtherOutput, sampleColumns } from '../read-foreign.ts';

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

function examine({ bytes, sample, output }: GivenFile): ExaminedFile {
  const model = inspectModel(bytes);
  const description = describeModel(model);
  const own = ownSignature(model);
  if (own !== undefined) {
    refuseOtherOutput(own, output);
    return { bytes, description, columns: own.inputs, label: null };
  }
  return { bytes, description, columns: sampleColumns(model, sample), label: outputLabel(model, output) };
}
