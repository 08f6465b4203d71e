import { parentPort } from 'node:worker_threads';
import { LargeRequestThread, stepBack } from '@perennial/serving/online';
import { readPredictRequest } from '../http/predict/read-predict-request.ts';

/** The program of the threads that answer large requests. */
if (parentPort !== null) {
  stepBack();
  new LargeRequestThread({ port: parentPort, read: readPredictRequest });
}
