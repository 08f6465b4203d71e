/** What is sent, how, and for how long. */
export interface LoadOptions {
  /** `http://127.0.0.1:8080`; plain HTTP only. */
  url: string;
  path: string;
  /** @default 'POST' where there is a body, otherwise 'GET' */
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Sent in turn; instead of `body`. Each as text, or as base64 behind `base64:` for bytes that are no text. */
  bodies?: readonly string[];
  /** Connections that are kept alive; in a closed loop each has one request under way. */
  connections: number;
  durationSeconds: number;
  /** Sent before anything is counted. @default 0 */
  warmupSeconds?: number;
  /**
   * Requests a second that arrive whether or not the ones before were answered (open loop), at random moments as independent callers would send them (Poisson). Each is
   * timed from the moment it was due, so that a server that stalls is not spared the requests it held up (coordinated omission: Gil Tene, "How NOT to Measure Latency").
   * Absent: closed loop, every connection sends its next request when it has its answer.
   */
  rate?: number;
}

/** Times in milliseconds. */
export interface LatencySummary {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export interface LoadResult {
  /** Requests that were answered after the warm-up, whatever the status. */
  requests: number;
  /** Answers by status other than 2xx, and `connection` for connections that failed or closed under a request. */
  errors: Record<string, number>;
  /** Answers a second, of any status. */
  perSecond: number;
  /** Answers with a 2xx status a second. */
  goodPerSecond: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
  byStatus: Record<string, LatencySummary>;
  /** Open loop: how late the requests were sent, p99 in milliseconds. Far above zero, every connection was busy, or this program is what limits. */
  lateP99: number;
}
