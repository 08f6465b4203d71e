import type { MetricObject } from 'prom-client';
import type { ConfigOverrides } from '../config/config.ts';

/** What a serving process is told first: what it serves, and which of the fleet it is. */
export interface Assignment {
  overrides: ConfigOverrides;
  /** From 1 on; whoever takes the place of one that died has its number, and with it its journal. */
  number: number;
  databaseUrl: string;
}

export type ToProcess =
  | { kind: 'start'; assignment: Assignment }
  /** Asks for this process's own metrics. */
  | { kind: 'metrics-wanted'; id: number }
  /** The whole fleet's metrics, as text. */
  | { kind: 'fleet-metrics'; id: number; text: string }
  | { kind: 'stop' };

export type FromProcess =
  /** It listens to what it is told: what is sent before that is lost. */
  | { kind: 'ready' }
  | { kind: 'up'; url: string; pipelines: string[] }
  /** It cannot start, and would not the next time: what it says is for the person who started it. */
  | { kind: 'failed'; message: string }
  | { kind: 'metrics'; id: number; metrics: MetricObject[] }
  /** Asks for the whole fleet's metrics. */
  | { kind: 'fleet-metrics-wanted'; id: number };
