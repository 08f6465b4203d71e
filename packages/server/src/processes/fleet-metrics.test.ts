import { Counter, Registry } from 'prom-client';
import { expect, it, vi } from 'vitest';
import { Metrics } from '../http/metrics.ts';
import { FleetMetrics } from './fleet-metrics.ts';

async function answered(metrics: Metrics) {
  metrics.predictions({ model: 'm', version: 1 }, 2);
  metrics.request({ method: 'POST', route: '/r', status: 200 }, 0.002);
  metrics.request({ method: 'POST', route: '/r', status: 200 }, 0.2);
  return metrics.registry.getMetricsAsJSON();
}

it('counts and histograms of all processes are summed', async () => {
  const fleet = new FleetMetrics((id) => {
    for (let i = 0; i < 3; i++)
      void answered(new Metrics({ numbers: [] })).then((one) => fleet.take(id, one));
    return 3;
  });
  const text = await fleet.text();
  expect(text).toContain('perennial_predictions_total{model="m",version="1"} 6');
  const name = 'perennial_http_request_duration_seconds';
  expect(text).toContain(`${name}_bucket{le="0.0025",method="POST",route="/r",status="200"} 3`);
  expect(text).toContain(`${name}_bucket{le="+Inf",method="POST",route="/r",status="200"} 6`);
  expect(text).toContain(`${name}_count{method="POST",route="/r",status="200"} 6`);
  expect(text).toMatch(new RegExp(`${name}_sum\\{method="POST",route="/r",status="200"\\} 0\\.606`));
});

it('a process that does not answer is left out, and one that answers too late is not waited for', async () => {
  vi.useFakeTimers();
  try {
    const registry = new Registry();
    new Counter({ name: 'things_total', help: 'Things', registers: [registry] }).inc(4);
    const one = await registry.getMetricsAsJSON();
    let asked = 0;
    const fleet = new FleetMetrics((id) => {
      asked = id;
      fleet.take(id, []);
      return 2;
    });
    const text = fleet.text();
    fleet.take(asked, one);
    fleet.take(99, one);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await text).toContain('things_total 4');
    fleet.take(asked, one);
  } finally {
    vi.useRealTimers();
  }
});

it('of no process is nothing', async () => {
  expect((await new FleetMetrics(() => 0).text()).trim()).toBe('');
});
