import { Logger } from 'graphile-worker';

export type QueueLogLevel = 'error' | 'warning' | 'info' | 'debug';

/** Where the queue's remarks go. */
export type QueueLog = (level: QueueLogLevel, message: string) => void;

/** graphile-worker's logger over a plain function. */
export function queueLogger(log: QueueLog): Logger {
  return new Logger(() => (level, message) => log(level, message));
}

export const silentLogger = queueLogger(() => undefined);
