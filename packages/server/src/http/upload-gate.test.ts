import { expect, it } from 'vitest';
import { TooManyUploadsError } from '../errors.ts';
import { UploadGate } from './upload-gate.ts';

it('holds two large requests at once, and takes the next when one is answered, well or badly', async () => {
  const gate = new UploadGate();
  let refuse = (_error: Error) => undefined as void;
  const first = new Promise<string>((_resolve, reject) => (refuse = reject));
  let answer = (_text: string) => undefined as void;
  const second = new Promise<string>((resolve) => (answer = resolve));
  const held = [gate.hold(() => first), gate.hold(() => second)];
  await expect(gate.hold(async () => 'third')).rejects.toThrow(TooManyUploadsError);
  refuse(new Error('refused'));
  await expect(held[0]).rejects.toThrow('refused');
  expect(await gate.hold(async () => 'third')).toBe('third');
  answer('second');
  expect(await held[1]).toBe('second');
});
