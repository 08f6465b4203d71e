import { IdGenerator, ManualClock, type Prediction } from '@perennial/contract';
import { encodePrediction } from '../journal/prediction-record.ts';

const START = '2001-03-04T05:06:07.000Z';

/** A maker of predictions with real ids, all of one day; `change` replaces fields. */
export function predictionMaker(start = START): (change?: Partial<Prediction>) => Prediction {
  const clock = new ManualClock(start);
  const ids = new IdGenerator(clock);
  return (change) => ({
    id: ids.next(),
    model: 'flight-delay',
    version: 3,
    endpoint: 'flight-delay',
    key: null,
    features: { distance: 500, origin: 'ORD', late: null },
    output: { probability: 0.25, decision: false },
    mode: 'live',
    latencyMicroseconds: 120,
    at: start,
    ...change,
  });
}

/** That many records as the journal takes them. */
export function makeRecords(count: number, make = predictionMaker()): string[] {
  return Array.from({ length: count }, () => encodePrediction(make()));
}
