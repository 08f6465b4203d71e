import {
  between,
  binary,
  categorical,
  crossed,
  definePipeline,
  mlp,
  notNull,
  notWorse,
  numeric,
  parquet,
  timestamp,
} from '@perennial/pipeline';

/**
 * Will a flight be more than a quarter of an hour late? Three million US flights of the first half of 2001, about 16,500 a day, from the npm
 * package `vega-datasets`; times are local to the airport.
 */
export default definePipeline({
  name: 'flight-delay',
  description: 'Whether a scheduled US flight arrives more than 15 minutes late.',
  owners: ['flight operations'],
  intendedUse: 'Warning passengers and planning gates on the day of the flight.',
  limitations: [
    'Knows nothing of the weather or of the aircraft, so a bad day surprises it.',
    'Trained on US domestic flights of 2001.',
  ],
  data: {
    source: parquet<'date' | 'delay' | 'distance' | 'origin' | 'destination'>(
      '../../node_modules/vega-datasets/data/flights-3m.parquet',
    ),
    time: 'date',
    window: { train: '14d', validation: '1d', test: '1d' },
    expectations: [notNull('origin'), notNull('destination'), between('distance', 10, 6000)],
  },
  label: binary('late', { from: 'delay > 15' }),
  features: {
    distance: numeric({ log: true }),
    date: timestamp({ parts: ['minuteOfDay', 'dayOfWeek'] }),
    origin: categorical({ minCount: 50, encoding: { kind: 'embedding', dimension: 8 } }),
    destination: categorical({ minCount: 50, encoding: { kind: 'embedding', dimension: 8 } }),
    route: crossed(['origin', 'destination'], {
      buckets: 4096,
      encoding: { kind: 'embedding', dimension: 8 },
    }),
  },
  train: mlp({
    hidden: [32, 16],
    epochs: 3,
    batchSize: 4096,
    warmStart: { epochs: 1 },
    learningRate: 0.0045,
  }),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.005, confidence: 0.95 }), slices: ['origin'] },
  release: { approval: 'automatic' },
});
