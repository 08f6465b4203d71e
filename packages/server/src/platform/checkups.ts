import type { Checkup } from '@perennial/contract';
import type { BackendReport } from '@perennial/training';
import type { Config } from '../config/config.ts';

export function runtimeCheckup(): Checkup {
  const found = `Node.js ${process.versions.node} on ${process.platform}-${process.arch}`;
  return { name: 'runtime', state: 'good', found, advice: null };
}

export function accessCheckup({ host, adminToken }: Config): Checkup {
  const found = adminToken === null ? `no token, ${host} only` : `admin token, listening on ${host}`;
  const advice = adminToken === null ? 'Set PERENNIAL_ADMIN_TOKEN to listen elsewhere.' : null;
  return { name: 'access', state: 'good', found, advice };
}

/** The backends are in order of preference. */
export function trainingCheckup(backends: BackendReport[]): Checkup {
  const usable = backends.filter((backend) => backend.usable);
  const missing = backends.filter((backend) => !backend.usable);
  const best = usable[0];
  return {
    name: 'training backend',
    state: best === undefined ? 'bad' : best.name === 'cpu' ? 'weak' : 'good',
    found:
      best === undefined
        ? 'none'
        : `${best.name} (usable: ${usable.map((backend) => backend.name).join(', ')})`,
    advice:
      missing.length === 0 ? null : missing.map(({ name, missing: what }) => `${name}: ${what}`).join(' '),
  };
}
