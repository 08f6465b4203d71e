import type { LoadGate } from '../http/predict/load-gate.ts';
import { Metrics, type MetricSources, type MetricsOptions } from '../http/metrics.ts';
import { registerCacheMetrics } from './cache-metrics.ts';
import { offlineNumbers } from './offline.ts';
import type { Serving } from './serving.ts';

type Numbers = MetricSources['numbers'];

/** The metrics of a process that serves, on a registry of metrics that other parts count into already. */
export function servingMetrics(
  serving: Serving,
  { gate, ...how }: Pick<MetricsOptions, 'registry' | 'text'> & { gate: LoadGate },
): Metrics {
  const numbers = [...servingNumbers(serving), ...gateNumbers(gate), ...threadNumbers(serving.large)];
  const metrics = new Metrics({ numbers, times: servingTimes(serving), ...how });
  registerCacheMetrics(metrics.registry, serving.caches);
  return metrics;
}

/** The data plane's own counters, by the names they are scraped under. */
function servingNumbers({ journal, shipper, models, offline }: Serving): Numbers {
  return [
    {
      name: 'perennial_attestation_refusals_total',
      help: 'Times that a champion was refused, since it is not what was approved and signed',
      read: () => models.counters.refusals,
    },
    ...offlineNumbers(offline),
    ...residencyNumbers(models),
    ...journalNumbers(journal),
    ...journalSizes(journal),
    ...shipperNumbers(shipper),
    ...backlogNumbers(shipper),
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

function journalSizes(journal: Serving['journal']): Numbers {
  return [
    {
      name: 'perennial_journal_failures_total',
      help: 'Groups that could not be written for another reason than room',
      read: () => journal.counters.failures,
    },
    {
      name: 'perennial_journal_torn_bytes_total',
      help: 'Bytes of an unfinished end, cut off at the start',
      read: () => journal.counters.tornBytes,
    },
    {
      name: 'perennial_journal_queued_bytes',
      help: 'Bytes that wait to be written',
      read: () => journal.queuedBytes,
    },
    {
      name: 'perennial_journal_stored_bytes',
      help: 'Bytes of the journal on the disk',
      read: () => journal.storedBytes,
    },
  ];
}

function backlogNumbers(shipper: Serving['shipper']): Numbers {
  return [
    {
      name: 'perennial_shipper_batches_total',
      help: 'Batches brought to the database',
      read: () => shipper.counters.batches,
    },
    {
      name: 'perennial_shipper_waiting_records',
      help: 'Predictions put on record since the start that are not in the database yet',
      read: () => shipper.waiting.records,
    },
    {
      name: 'perennial_shipper_waiting_bytes',
      help: 'Bytes of the journal that are not in the database yet',
      read: () => shipper.waiting.bytes,
    },
    {
      name: 'perennial_shipper_oldest_waiting_seconds',
      help: 'Age of the oldest prediction that is not in the database yet',
      read: () => shipper.waiting.oldestSeconds,
    },
  ];
}

/** Times of the data plane, counted in buckets. */
function servingTimes({ journal }: Pick<Serving, 'journal'>): NonNullable<MetricSources['times']> {
  return [
    {
      name: 'perennial_journal_commit_seconds',
      help: 'Time from the write of a group until it is as durable as was asked',
      read: () => journal.commitTimes,
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

function gateNumbers(gate: LoadGate): Numbers {
  return [
    {
      name: 'perennial_gate_refused_total',
      help: 'Requests refused since more were under way than are answered in time',
      read: () => gate.refused,
    },
    {
      name: 'perennial_gate_limit',
      help: 'Requests that may be under way, by the pace at which they are answered',
      read: () => gate.limit,
    },
  ];
}

function threadNumbers(large: Serving['large']): Numbers {
  if (large === undefined) return [];
  return [
    {
      name: 'perennial_large_requests_total',
      help: 'Requests handed to a thread',
      read: () => large.counters.taken,
    },
    {
      name: 'perennial_large_refused_total',
      help: 'Large requests refused as too much waited',
      read: () => large.counters.refused,
    },
    {
      name: 'perennial_large_waiting_bytes',
      help: 'Bytes of large requests that no thread has begun',
      read: () => large.waitingBytes,
    },
    {
      name: 'perennial_large_threads',
      help: 'Threads for large requests',
      read: () => large.threads,
    },
  ];
}
