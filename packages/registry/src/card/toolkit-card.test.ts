import { toolkitCardSchema, type ToolkitCard } from '@perennial/contract';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleModelCard } from '../testing/sample-card.ts';
import { sampleImportedCard, sampleEvents, unreleased } from '../testing/sample-card-view.ts';
import { TOOLKIT_SCHEMA } from '../testing/toolkit-schema.ts';
import { toolkitCard } from './toolkit-card.ts';

const SIDECAR = 'https://perennial.example.org/v1/models/flight-delay/versions/7/card';
const ajv = addFormats.default(new Ajv({ allErrors: true }));
const validate = ajv.compile(TOOLKIT_SCHEMA);

let card: ToolkitCard;
beforeAll(async () => {
  card = await toolkitCard(unreleased(sampleModelCard()), SIDECAR);
});

/** The card with its pictures by name only. */
function withoutImages(of: ToolkitCard): unknown {
  return JSON.parse(JSON.stringify(of, (key, value: unknown) => (key === 'image' ? undefined : value)));
}

describe('toolkitCard', () => {
  it('reads as it always has', () => {
    expect(withoutImages(card)).toMatchSnapshot();
  });

  it("is what the Model Card Toolkit's schema and our contract ask for", () => {
    validate(card);
    expect(validate.errors).toBeNull();
    expect(toolkitCardSchema.parse(card)).toEqual(card);
  });

  it('leads to the full card, which holds what the schema has no room for', () => {
    expect(card.model_details.references).toEqual([{ reference: SIDECAR }]);
  });

  it('holds its pictures as PNG', () => {
    const analysis = card.quantitative_analysis.graphics?.collection ?? [];
    const data = card.model_parameters.data[0]?.graphics?.collection ?? [];
    expect(analysis.map(({ name }) => name.replace(/[\d.]+$/, '…'))).toEqual([
      'ROC: AUC …',
      'Precision–recall: average precision …',
      'Reliability: expected calibration error …',
      'How much AUC worsens when a feature is shuffled',
    ]);
    expect(data.map(({ name }) => name)).toEqual(['distance', 'origin', 'destination', 'date', 'weekend']);
    for (const { image } of [...analysis, ...data])
      expect(Buffer.from(image, 'base64').subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  });

  it('leaves out metrics that are not defined, since their value must be a number', () => {
    const named = card.quantitative_analysis.performance_metrics.filter(
      ({ slice }) => slice === 'origin = a|b',
    );
    expect(named.map(({ type }) => type)).toEqual(['log loss', 'accuracy', 'Brier score']);
  });

  it('makes up nothing that the author did not say', async () => {
    const bare = sampleModelCard();
    bare.overview = { description: '', owners: [], intendedUse: '', limitations: [] };
    const made = await toolkitCard(unreleased({ ...bare, history: [] }), SIDECAR);
    expect(made.considerations).toEqual({
      users: [],
      use_cases: [],
      limitations: [],
      tradeoffs: [],
      ethical_considerations: [],
    });
    expect(made.model_details).toMatchObject({ overview: '', owners: [] });
    expect(made.model_details.version).toEqual({ name: '7', date: '2001-02-01' });
  });

  it('names a slice that is clearly worse as what was traded', async () => {
    const worse = sampleModelCard();
    worse.gate.slices.worst[0]!.clearlyWorse = true;
    const { considerations } = await toolkitCard(unreleased(worse), SIDECAR);
    expect(considerations.tradeoffs).toEqual([
      { description: "AUC is clearly worse than the champion's where origin = (missing)." },
    ]);
  });

  it('says of an override who and why, and adds what was said since', async () => {
    const made = await toolkitCard({ card: sampleModelCard(), since: sampleEvents() }, SIDECAR);
    expect(made.considerations.tradeoffs).toEqual([
      {
        description:
          'The gate was overridden by user:grace@example.org on 2001-02-02 08:00 UTC: The champion fails on the new airports.',
      },
    ]);
    expect(made.model_details.documentation).toContain('The one with the new airports.');
  });

  it('makes up nothing of a version that was made elsewhere', async () => {
    const made = await toolkitCard(unreleased(sampleImportedCard()), SIDECAR);
    validate(made);
    expect(validate.errors).toBeNull();
    expect(toolkitCardSchema.parse(made)).toEqual(made);
    expect(made.model_parameters).toEqual({
      model_architecture:
        'Cast: 2 times\nai.onnx.ml.TreeEnsembleClassifier: 1 time\nMade by skl2onnx 1.17.0.\nNot known: this version was made elsewhere.',
      data: [],
      input_format: 'age: number\nincome: number',
      output_format: 'probability: float32 in 0 to 1\ndecision: true from 0.5',
    });
    expect(made.quantitative_analysis).toEqual({ performance_metrics: [] });
    expect(made.considerations.limitations).toEqual([
      { description: 'Metrics, data and training. Not known: this version was made elsewhere.' },
    ]);
  });
});
