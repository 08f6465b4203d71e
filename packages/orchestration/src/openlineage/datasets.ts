import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ColumnSummary, DatasetVersion, SourceSpec } from '@perennial/contract';
import type { Facets, facetsBy } from './facets.ts';

/** A dataset of an event; OpenLineage's word for anything that is read or written. */
export interface OpenLineageDataset {
  namespace: string;
  name: string;
  facets: Facets;
  outputFacets?: Facets;
}

export interface DatasetMaking {
  /** The installation's namespace. */
  namespace: string;
  facets: ReturnType<typeof facetsBy>;
  /** The folder of the pipeline's file, which local paths are relative to; undefined where the pipeline is not loaded. */
  folder: string | undefined;
}

type SourceFile = DatasetVersion['card']['files'][number];

/**
 * What a dataset version was made from: a dataset for each file, with its digest as version, named as OpenLineage names files and objects (https://openlineage.io/docs/spec/naming), so that what wrote the
 * file meets it there; of a source that is no files, one dataset in the namespace of the installation.
 */
export function sourceDatasets(
  { card }: Pick<DatasetVersion, 'card'>,
  making: DatasetMaking,
): OpenLineageDataset[] {
  const { source, pipeline, files } = card;
  if (files.length > 0) return files.map((file) => fileDataset(source, file, making));
  return [{ namespace: making.namespace, name: sourceName(source, pipeline), facets: {} }];
}

function fileDataset(source: SourceSpec, file: SourceFile, making: DatasetMaking): OpenLineageDataset {
  const { namespace, name, uri } = placeOf(source, file.name, making);
  const dataSource = uri === null ? null : { name: namespace, uri };
  return {
    namespace,
    name,
    facets: making.facets({ dataSource, version: { datasetVersion: file.digest } }),
  };
}

interface Place {
  namespace: string;
  name: string;
  uri: string | null;
}

function placeOf(source: SourceSpec, name: string, { namespace, folder }: DatasetMaking): Place {
  if (source.kind === 'objectStore') {
    const bucket = `s3://${source.bucket}`;
    return { namespace: bucket, name, uri: `${bucket}/${encodeURI(name)}` };
  }
  if (folder === undefined) return { namespace, name, uri: null };
  const path = resolve(folder, name);
  return { namespace: 'file', name: path, uri: pathToFileURL(path).href };
}

function sourceName(source: SourceSpec, pipeline: string): string {
  switch (source.kind) {
    case 'postgres':
      return `connections/${source.connection}`;
    case 'stream':
      return `streams/${source.stream}`;
    case 'predictionLog':
      return `predictions/${source.model}`;
    case 'query':
    case 'parquet':
    case 'csv':
    case 'json':
    case 'objectStore':
      return `pipelines/${pipeline}/source`;
  }
}

/** The dataset version itself, with what its data card says of its rows. */
export function versionDataset(
  { digest, pipeline, card }: Pick<DatasetVersion, 'digest' | 'pipeline' | 'card'>,
  { namespace, facets }: DatasetMaking,
): OpenLineageDataset {
  const splits = Object.values(card.splits);
  const rowCount = splits.reduce((sum, { rows }) => sum + rows, 0);
  const bytes = splits.reduce((sum, split) => sum + split.bytes, 0);
  const columnMetrics = Object.fromEntries(card.columns.map((column) => [column.name, metricsOf(column)]));
  return {
    namespace,
    name: `datasets/${pipeline}`,
    facets: facets({
      version: { datasetVersion: digest },
      schema: { fields: card.columns.map(({ name, type }) => ({ name, type })) },
      dataQualityMetrics: {
        rowCount,
        bytes,
        fileCount: splits.length,
        columnMetrics,
        quarantinedRows: card.quarantine.rows,
      },
    }),
    outputFacets: facets({ outputStatistics: { rowCount, size: bytes, fileCount: splits.length } }),
  };
}

/** Columns are summarised over the training rows. */
function metricsOf({ missing, distinct, min, max, quantiles }: ColumnSummary): Record<string, unknown> {
  return {
    nullCount: missing,
    distinctCount: distinct,
    ...(min === null ? {} : { min }),
    ...(max === null ? {} : { max }),
    ...(quantiles === null
      ? {}
      : {
          quantiles: Object.fromEntries(
            quantiles.map((value, index) => [String(index / (quantiles.length - 1)), value]),
          ),
        }),
  };
}

/** A model version is something written, too. */
export function modelDataset(
  { model, version }: { model: string; version: number },
  { namespace, facets }: DatasetMaking,
): OpenLineageDataset {
  return {
    namespace,
    name: `models/${model}`,
    facets: facets({ version: { datasetVersion: String(version) } }),
  };
}
