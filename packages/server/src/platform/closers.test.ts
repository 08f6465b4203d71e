import { expect, it } from 'vitest';
import { Closers } from './closers.ts';
import { createLogger } from './logger.ts';

it('closes what was opened, last first, one after the other, once', async () => {
  const closers = new Closers(createLogger('silent'));
  const log: string[] = [];
  for (const name of ['database', 'worker', 'server']) {
    closers.add(name, async () => {
      log.push(`${name} begins`);
      await Promise.resolve();
      log.push(`${name} ends`);
    });
  }
  await closers.closeAll();
  await closers.closeAll();
  expect(log).toEqual([
    'server begins',
    'server ends',
    'worker begins',
    'worker ends',
    'database begins',
    'database ends',
  ]);
});

it('closes the rest when one fails, and says which', async () => {
  const errors: unknown[] = [];
  const logger = createLogger('silent');
  logger.error = (fields: unknown) => void errors.push(fields);
  const closers = new Closers(logger);
  let closed = false;
  closers.add('database', async () => void (closed = true));
  closers.add('worker', async () => Promise.reject(new Error('stuck')));
  await closers.closeAll();
  expect(closed).toBe(true);
  expect(errors).toEqual([{ err: new Error('stuck'), part: 'worker' }]);
});
