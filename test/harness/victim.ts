import { ManualClock } from '@perennial/contract';
import { createLogger, loadConfig, startPlatform } from '@perennial/server';

/**
 * The whole platform in a process of its own, as `perennial up` starts it, but for its clock: each `{ clock }` message from the parent moves it.
 * It says `{ url }` once it answers. Made to be killed.
 */
const clock = new ManualClock('2024-03-11T03:00:00Z');
process.on('message', (message: { clock: string }) => {
  clock.set(message.clock);
  process.send?.({ moved: message.clock });
});
const config = loadConfig();
const platform = await startPlatform({ config, logger: createLogger(config.logLevel), clock });
process.send?.({ url: platform.url });
process.once('SIGTERM', () => void platform.close().then(() => process.exit(0)));
