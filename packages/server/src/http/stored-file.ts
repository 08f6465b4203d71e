import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { ArtifactStore } from '@perennial/storage';
import { parseAccept } from 'hono/utils/accept';

/** Whether a caller would rather have what is said of a file than the file. */
export function asksForJson(accept: string): boolean {
  return parseAccept(accept).some(({ type, q }) => type.toLowerCase() === 'application/json' && q > 0);
}

/** An artifact as a file, with its digest in the header that RFC 9530 gives it. The store checks the bytes before the first is sent. */
export async function storedFile(
  artifacts: ArtifactStore,
  { digest, bytes, name }: { digest: string; bytes: number; name: string },
): Promise<Response> {
  const path = await artifacts.fetchFile(digest);
  const base64 = Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64');
  return new Response(Readable.toWeb(createReadStream(path)) as ReadableStream, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes),
      'content-disposition': `attachment; filename="${name}"`,
      'repr-digest': `sha-256=:${base64}:`,
      etag: `"${digest}"`,
      vary: 'accept',
    },
  });
}
