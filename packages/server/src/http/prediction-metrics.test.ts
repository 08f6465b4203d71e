import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { NotFoundError } from '@perennial/contract';
import { NoChampionError, OverloadedError } from '@perennial/serving';
import { PredictionMetrics, type PredictionMetricsOptions } from './prediction-metrics.ts';

function open(options: Partial<PredictionMetricsOptions> = {}) {
  const registry = new Registry();
  return { registry, metrics: new PredictionMetrics({ registry, ...options }) };
}

/** 2 ms in all: 0.2 checking, 0.3 waiting, 1 computing, and 0.5 until it was on record. */
const phases = { validate: 0.2, queue: 0.3, compute: 1, record: 0.5, ledBatches: [3] };
const answered = { model: 'm', version: 1, rows: 2, latencyMicroseconds: 1_500, phases };

const lines = async (registry: Registry) => (await registry.metrics()).split('\n');

describe('the metrics of predictions', () => {
  it('are histograms in seconds and rows, by model and version', async () => {
    const { registry, metrics } = open();
    metrics.predicted(answered);
    metrics.predicted({ ...answered, phases: { ...phases, queue: 20, ledBatches: [] } });
    expect(await lines(registry)).toEqual(
      expect.arrayContaining([
        '# TYPE perennial_prediction_duration_seconds histogram',
        'perennial_prediction_duration_seconds_bucket{le="0.001",model="m",version="1"} 0',
        'perennial_prediction_duration_seconds_bucket{le="0.0025",model="m",version="1"} 2',
        'perennial_prediction_duration_seconds_bucket{le="+Inf",model="m",version="1"} 2',
        'perennial_prediction_duration_seconds_sum{model="m",version="1"} 0.004',
        'perennial_prediction_duration_seconds_count{model="m",version="1"} 2',
        'perennial_prediction_queue_seconds_bucket{le="0.0005",model="m",version="1"} 1',
        'perennial_prediction_queue_seconds_bucket{le="0.025",model="m",version="1"} 2',
        'perennial_prediction_compute_seconds_count{model="m",version="1"} 2',
        'perennial_prediction_record_seconds_count{model="m",version="1"} 2',
        'perennial_prediction_validate_seconds_count{model="m",version="1"} 2',
        'perennial_prediction_batch_rows_sum{model="m",version="1"} 3',
        'perennial_prediction_batch_rows_count{model="m",version="1"} 1',
      ]),
    );
  });

  it('count failures by code, and make no series of models that are not there', async () => {
    const { registry, metrics } = open();
    metrics.failed({ model: 'm', error: new OverloadedError('the model', 1, 'rows') });
    metrics.failed({ model: 'm', error: new NoChampionError('m') });
    metrics.failed({ model: 'm', error: new Error('out of the blue') });
    for (const model of ['a', 'b', 'c']) metrics.failed({ model, error: new NotFoundError('model', model) });
    expect(
      (await lines(registry)).filter((line) => line.startsWith('perennial_prediction_failures')),
    ).toEqual([
      'perennial_prediction_failures_total{model="m",code="overloaded"} 1',
      'perennial_prediction_failures_total{model="m",code="no-champion"} 1',
      'perennial_prediction_failures_total{model="m",code="internal"} 1',
      'perennial_prediction_failures_total{model="-",code="model-not-found"} 3',
    ]);
  });

  it('tell what is under way when they are asked', async () => {
    const { registry } = open({ loaded: () => [{ model: 'm', version: 4, inFlight: 3, queuedRows: 70 }] });
    expect(await lines(registry)).toEqual(
      expect.arrayContaining([
        'perennial_predictions_in_flight{model="m",version="4"} 3',
        'perennial_prediction_queued_rows{model="m",version="4"} 70',
      ]),
    );
  });

  it('keep three versions of a model, and one that answers again goes on where it was', async () => {
    const { metrics } = open();
    for (const version of [1, 2, 3, 4, 3]) metrics.predicted({ ...answered, version });
    expect(metrics.versions().map(({ version, duration }) => [version, duration.count])).toEqual([
      ['3', 2],
      ['4', 1],
      ['2', 1],
    ]);
  });

  it('have Triton’s and KServe’s names as well, where that is wanted', async () => {
    const { registry, metrics } = open({ aliases: ['triton', 'kserve'] });
    metrics.predicted(answered);
    metrics.failed({ model: 'm', error: new OverloadedError('the model', 1, 'rows') });
    expect(await lines(registry)).toEqual(
      expect.arrayContaining([
        'nv_inference_request_success{model="m",version="1"} 1',
        'nv_inference_request_failure{model="m",reason="REJECTED"} 1',
        'nv_inference_count{model="m",version="1"} 2',
        'nv_inference_exec_count{model="m",version="1"} 1',
        'nv_inference_request_duration_us{model="m",version="1"} 2000',
        'nv_inference_compute_infer_duration_us{model="m",version="1"} 1000',
        'request_predict_seconds_count{model_name="m"} 1',
        'request_preprocess_seconds_count{model_name="m"} 1',
        'request_postprocess_seconds_count{model_name="m"} 1',
        '# TYPE request_explain_seconds histogram',
      ]),
    );
  });

  it('have no other names where it is not', async () => {
    const { registry, metrics } = open();
    metrics.predicted(answered);
    expect(await registry.metrics()).not.toMatch(/nv_|^request_/m);
  });
});
