/**
 * What https://openlineage.io/spec/2-0-2/OpenLineage.json asks of a run event, and the published schemas of the facets that we send of theirs: required fields and types, by JSON Schema 2020-12. A
 * facet that is none of these, or lacks its producer or schema, is refused here, though the specification lets anybody add some.
 */
const text = { type: 'string' };
const whole = { type: 'integer' };
const uri = { type: 'string', format: 'uri' };
const instant = { type: 'string', format: 'date-time' };

function object(properties: Record<string, object>, required: readonly string[] = []): object {
  return { type: 'object', properties, required };
}

function facet(properties: Record<string, object>, required: readonly string[] = []): object {
  return object({ _producer: uri, _schemaURL: uri, ...properties }, ['_producer', '_schemaURL', ...required]);
}

function facets(known: Record<string, object>): object {
  return { type: 'object', properties: known, additionalProperties: false };
}

const run = object({ runId: { type: 'string', format: 'uuid' } }, ['runId']);
const job = object({ namespace: text, name: text }, ['namespace', 'name']);

const runFacets = facets({
  nominalTime: facet({ nominalStartTime: instant, nominalEndTime: instant }, ['nominalStartTime']),
  parent: facet({ run, job }, ['run', 'job']),
  errorMessage: facet({ message: text, programmingLanguage: text, stackTrace: text }, [
    'message',
    'programmingLanguage',
  ]),
  processing_engine: facet({ version: text, name: text, openlineageAdapterVersion: text }, ['version']),
});

const jobFacets = facets({
  jobType: facet({ processingType: text, integration: text, jobType: text }, [
    'processingType',
    'integration',
  ]),
  documentation: facet({ description: text }, ['description']),
  sourceCode: facet({ language: text, sourceCode: text }, ['language', 'sourceCode']),
  ownership: facet({ owners: { type: 'array', items: object({ name: text, type: text }, ['name']) } }),
});

const columnMetrics = object({
  nullCount: whole,
  distinctCount: whole,
  min: { type: 'number' },
  max: { type: 'number' },
  quantiles: { type: 'object', additionalProperties: { type: 'number' } },
});

const datasetFacets = facets({
  schema: facet({ fields: { type: 'array', items: object({ name: text, type: text }, ['name']) } }),
  dataSource: facet({ name: text, uri }),
  version: facet({ datasetVersion: text }, ['datasetVersion']),
  dataQualityMetrics: facet(
    {
      rowCount: whole,
      bytes: whole,
      fileCount: whole,
      columnMetrics: { type: 'object', additionalProperties: columnMetrics },
    },
    ['columnMetrics'],
  ),
});

const outputFacets = facets({
  outputStatistics: facet({ rowCount: whole, size: whole, fileCount: whole }),
});

function datasets(own: Record<string, object>): object {
  const item = object({ namespace: text, name: text, facets: datasetFacets, ...own }, ['namespace', 'name']);
  return { type: 'array', items: { ...item, additionalProperties: false } };
}

function withFacets(of: object, known: object): object {
  return { allOf: [of, object({ facets: known })] };
}

export const OPENLINEAGE_RUN_EVENT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...object(
    {
      eventType: { enum: ['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER'] },
      eventTime: instant,
      producer: uri,
      schemaURL: uri,
      run: withFacets(run, runFacets),
      job: withFacets(job, jobFacets),
      inputs: datasets({}),
      outputs: datasets({ outputFacets }),
    },
    ['eventTime', 'producer', 'schemaURL', 'run', 'job'],
  ),
  additionalProperties: false,
};
