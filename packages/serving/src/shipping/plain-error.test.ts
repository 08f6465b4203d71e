import { expect, test } from 'vitest';
import { DatabaseError } from '@perennial/storage';
import { ShippingError } from '../errors.ts';
import { errorFromPlain, plainError } from './plain-error.ts';

const travelled = (error: unknown) => errorFromPlain(structuredClone(plainError(error)));

test('an error that travels between threads keeps its kind, its words, its fields and its causes', () => {
  const driver = Object.assign(new Error('refused'), {
    code: '22P05',
    position: 7,
    client: { password: 'x' },
  });
  const error = new ShippingError('it was', { cause: new DatabaseError('22P05', { cause: driver }) });
  const arrived = travelled(error);
  expect(arrived).toBeInstanceOf(Error);
  expect(arrived).toMatchObject({ name: 'ShippingError', message: error.message, stack: error.stack });
  expect(arrived.cause).toMatchObject({ name: 'DatabaseError', sqlState: '22P05' });
  expect((arrived.cause as Error).cause).toMatchObject({ message: 'refused', code: '22P05', position: 7 });
  expect((arrived.cause as Error).cause).not.toHaveProperty('client');
});

test('what is no error arrives as one', () => {
  expect(travelled('gone')).toMatchObject({ name: 'Error', message: 'gone' });
  expect(travelled(undefined).message).toBe('undefined');
});

test('causes that run in a circle end somewhere', () => {
  const error = new Error('round');
  error.cause = error;
  let depth = 0;
  for (let at: unknown = travelled(error); at instanceof Error; at = at.cause) depth++;
  expect(depth).toBeLessThan(20);
});
