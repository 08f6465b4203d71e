import { Metrics, type MetricSources } from '../http/metrics.ts';
import { registerCacheMetrics } from './cache-metrics.ts';
import type { Serving } from './serving.ts';

type Numbers = MetricSources['numbers'];

/** The metrics of a process that serves. */
export function servingMetrics(serving: Serving): Metrics {
  const metrics = new Metrics({ numbers: servingNumbers(serving) });
  registerCacheMetrics(metrics.registry, serving.caches);
  return metrics;
}

/** The data plane's own counters, by the names they are scraped under. */
function servingNumbers({ journal, shipper, models }: Serving): Numbers {
  return [
    {
      name: 'perennial_attestation_refusals_total',
      help: 'Times that a champion was refused, since it is not what was approved and signed',
      read: () => models.counters.refusals,
    },
    ...residencyNumbers(models),
    ...journalNumbers(journal),
    ...shipperNumbers(shipper),
  ];
}

function journalNumbers({ counters }: Serving['journal']): Numbers {
  return [
    {
      name: 'perennial_journal_records_total',
      help: 'Predictions put on record',
      read: () => counters.records,
    },
    {
      name: 'perennial_journal_bytes_total',
      help: 'Bytes written to the journal',
      read: () => counters.bytes,
    },
    {
      name: 'perennial_journal_commits_total',
      help: 'Groups written, each by one write',
      read: () => counters.commits,
    },
    { name: 'perennial_journal_syncs_total', help: 'Groups brought to disk', read: () => counters.syncs },
    {
      name: 'perennial_journal_refused_total',
      help: 'Predictions refused for want of room',
      read: () => counters.refused,
    },
    {
      name: 'perennial_journal_dropped_total',
      help: 'Predictions answered without a record',
      read: () => counters.dropped,
    },
    {
      name: 'perennial_journal_overloads_total',
      help: 'Requests refused because too much waits',
      read: () => counters.overloads,
    },
    {
      name: 'perennial_journal_damaged_bytes_total',
      help: 'Bytes that are no whole record',
      read: () => counters.damagedBytes,
    },
  ];
}

function shipperNumbers({ counters }: Serving['shipper']): Numbers {
  return [
    {
      name: 'perennial_shipper_shipped_total',
      help: 'Predictions brought to the database',
      read: () => counters.shipped,
    },
    {
      name: 'perennial_shipper_failures_total',
      help: 'Failed attempts to ship',
      read: () => counters.failures,
    },
    {
      name: 'perennial_shipper_refused_total',
      help: 'Predictions the database refuses',
      read: () => counters.refused,
    },
  ];
}

function residencyNumbers(models: Serving['models']): Numbers {
  const number = (name: string, help: string, field: keyof typeof models.counters) => ({
    name: `perennial_models_${name}`,
    help,
    read: () => models.counters[field],
  });
  return [
    number('resident', 'Versions of models that are in memory', 'residents'),
    number('resident_bytes', 'Memory that they take, estimated', 'residentBytes'),
    number('loads_total', 'Versions loaded', 'loads'),
    number('evictions_total', 'Versions let go for others that needed the memory', 'evictions'),
    number('cold_requests_total', 'Requests that had to wait for a model to be loaded', 'coldRequests'),
    number('cold_refused_total', 'Requests refused as too many waited, or for too long', 'coldRefused'),
    number('cold_waiting', 'Requests that wait for a model to be loaded', 'coldWaiting'),
  ];
}
