/** The version of OpenLineage whose events these are. */
export const RUN_EVENT_SCHEMA = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent';

/** What every facet has beside its own fields. */
export interface Facet {
  /** Who says so. */
  _producer: string;
  /** The published schema that the facet keeps to. */
  _schemaURL: string;
  [field: string]: unknown;
}
export type Facets = Record<string, Facet>;

/** The facets that are sent, each by its key, with the version of its published schema. */
const SCHEMAS = {
  nominalTime: '1-0-1/NominalTimeRunFacet',
  parent: '1-0-1/ParentRunFacet',
  errorMessage: '1-0-1/ErrorMessageRunFacet',
  processing_engine: '1-1-1/ProcessingEngineRunFacet',
  jobType: '2-0-3/JobTypeJobFacet',
  documentation: '1-0-1/DocumentationJobFacet',
  sourceCode: '1-0-1/SourceCodeJobFacet',
  ownership: '1-0-1/OwnershipJobFacet',
  schema: '1-1-1/SchemaDatasetFacet',
  dataSource: '1-0-1/DatasourceDatasetFacet',
  version: '1-0-1/DatasetVersionDatasetFacet',
  dataQualityMetrics: '1-0-0/DataQualityMetricsDatasetFacet',
  outputStatistics: '1-0-2/OutputStatisticsOutputDatasetFacet',
} as const;
export type FacetKey = keyof typeof SCHEMAS;

/** Names the producer: this platform in its version. */
export function producerOf(platformVersion: string): string {
  return `urn:perennial:platform:${platformVersion}`;
}

/** Makes the facets of one producer; those without fields are left out. */
export function facetsBy(
  producer: string,
): (given: Partial<Record<FacetKey, Record<string, unknown> | null>>) => Facets {
  return (given) =>
    Object.fromEntries(
      Object.entries(given).flatMap(([key, fields]) =>
        fields === null ? [] : [[key, { ...fields, ...base(producer, key as FacetKey) }]],
      ),
    );
}

function base(producer: string, key: FacetKey): Facet {
  const [, name = ''] = SCHEMAS[key].split('/');
  return {
    _producer: producer,
    _schemaURL: `https://openlineage.io/spec/facets/${SCHEMAS[key]}.json#/$defs/${name}`,
  };
}
