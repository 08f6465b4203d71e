import type { MetricSources } from '../http/metrics.ts';
import { offlineNumbers } from './offline.ts';
import type { Serving } from './serving.ts';

type Numbers = MetricSources['numbers'];

/** The data plane's own counters, by the names they are scraped under. */
export function servingNumbers({ journal, shipper, models, offline }: Serving): Numbers {
  return [
    {
      name: 'perennial_attestation_refusals_total',
      help: 'Times that a champion was refused, since it is not what was approved and signed',
      read: () => models.counters.refusals,
    },
    ...offlineNumbers(offline),
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
