import { expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

it('counts predictions by model and version, and requests by route and status', async () => {
  const metrics = new Metrics({ numbers: [] });
  metrics.predictions({ model: 'm', version: 2 }, 5);
  metrics.predictions({ model: 'm', version: 2 }, 1);
  metrics.request({ method: 'GET', route: '/v1/runs', status: 200 }, 0.002);
  const text = await metrics.registry.metrics();
  expect(text).toContain('perennial_predictions_total{model="m",version="2"} 6');
  expect(text).toContain(
    'perennial_http_request_duration_seconds_bucket{le="0.0025",method="GET",route="/v1/runs",status="200"} 1',
  );
});

it('reads the numbers of others at each scrape: what ends in _total as a counter, the rest as a gauge', async () => {
  let value = 3;
  const metrics = new Metrics({
    numbers: [
      { name: 'perennial_things_total', help: 'Things', read: () => value },
      { name: 'perennial_room_bytes', help: 'Room', read: () => -value },
    ],
  });
  expect(await metrics.registry.metrics()).toMatch(
    /# TYPE perennial_things_total counter\nperennial_things_total 3\n/,
  );
  value = 7;
  const text = await metrics.registry.metrics();
  expect(text).toMatch(/perennial_things_total 7\n/);
  expect(text).toMatch(/# TYPE perennial_room_bytes gauge\nperennial_room_bytes -7\n/);
});

it('shows histograms that others keep, with counts that add up', async () => {
  const counts = [3, 0, 2];
  const metrics = new Metrics({
    numbers: [],
    times: [
      {
        name: 'perennial_commit_seconds',
        help: 'Commits',
        read: () => ({ bounds: [0.001, 0.5], counts, sum: 4.5 }),
      },
    ],
  });
  counts[1] = 1;
  const text = await metrics.registry.metrics();
  expect(text).toContain(
    [
      '# TYPE perennial_commit_seconds histogram',
      'perennial_commit_seconds_bucket{le="0.001"} 3',
      'perennial_commit_seconds_bucket{le="0.5"} 4',
      'perennial_commit_seconds_bucket{le="+Inf"} 6',
      'perennial_commit_seconds_sum 4.5',
      'perennial_commit_seconds_count 6',
    ].join('\n'),
  );
});
