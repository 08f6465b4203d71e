import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { UnexpectedAnswerError, type Client } from '@perennial/client';
import { ROUTES } from '@perennial/contract';

/**
 * Fetches a batch's output into a file, which is there whole or not at all: it is written beside its place and put there when its digest is the one on record.
 * @throws ApiError, ConnectionError, UnexpectedAnswerError
 */
export async function downloadOutput(
  client: Client,
  { batch, file }: { batch: string; file: string },
): Promise<{ bytes: number; rows: number }> {
  const { digest, bytes, rows } = await client.getBatchOutput({ params: { batch } });
  const { method, path } = ROUTES.getBatchOutput;
  const response = await client.transport.send({
    method,
    path,
    params: { batch },
    accept: 'application/octet-stream',
  });
  const part = `${file}.part`;
  const hash = createHash('sha256');
  const digesting = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const body = Readable.fromWeb(response.body as ReadableStream);
    await pipeline(body, digesting, createWriteStream(part));
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== digest) throw new UnexpectedAnswerError(path, response.status);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
  return { bytes, rows };
}
