/**
 * The structure of the Model Card Toolkit's JSON schema v0.0.2, with the one reference that strict validators refuse (`#definitions/graphic`, without its
 * slash) set right. Descriptions are left out.
 */
const text = { type: 'string' };
const uri = { type: 'string', format: 'uri' };
const listOf = (name: string) => ({ type: 'array', items: { $ref: `#/definitions/${name}` } });
const object = (properties: Record<string, unknown>) => ({ type: 'object', properties });
const described = object({ description: text });

export const TOOLKIT_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...object({
    schema_version: text,
    model_details: object({
      name: text,
      overview: text,
      documentation: text,
      owners: listOf('owner'),
      version: { $ref: '#/definitions/version' },
      licenses: listOf('license'),
      references: listOf('reference'),
      citations: listOf('citation'),
    }),
    model_parameters: object({
      model_architecture: text,
      data: listOf('dataset'),
      input_format: text,
      output_format: text,
    }),
    quantitative_analysis: object({
      performance_metrics: listOf('performance_metric'),
      graphics: { $ref: '#/definitions/graphics_collection' },
    }),
    considerations: object({
      users: listOf('user'),
      use_cases: listOf('use_case'),
      limitations: listOf('limitation'),
      tradeoffs: listOf('tradeoff'),
      ethical_considerations: listOf('risk'),
    }),
  }),
  additionalProperties: false,
  definitions: {
    owner: object({ name: text, contact: text }),
    version: object({ name: text, date: { type: 'string', format: 'date' }, diff: text }),
    license: {
      ...object({ identifier: text, custom_text: text }),
      oneOf: [{ required: ['identifier'] }, { required: ['custom_text'] }],
    },
    reference: object({ reference: uri }),
    citation: object({ style: text, citation: text }),
    dataset: object({
      name: text,
      link: uri,
      sensitive: { $ref: '#/definitions/sensitive_data' },
      graphics: { $ref: '#/definitions/graphics_collection' },
      description: text,
    }),
    performance_metric: object({ type: text, value: { type: 'number' }, slice: text }),
    sensitive_data: object({ sensitive_data: { type: 'array', items: text } }),
    graphics_collection: object({ description: text, collection: listOf('graphic') }),
    graphic: object({
      name: text,
      image: { type: 'string', contentEncoding: 'base64', contentMediaType: 'image/png' },
    }),
    user: described,
    use_case: described,
    limitation: described,
    tradeoff: described,
    risk: object({ name: text, mitigation_strategy: text }),
  },
};
