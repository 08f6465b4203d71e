import type { FileHandle } from 'node:fs/promises';

/** Bytes that are copied at once. */
const COPIED_BYTES = 1 << 20;

/** Copies a stretch of one file to the end of another. */
export async function copyBytes(
  source: FileHandle,
  output: FileHandle,
  { from, to, signal }: { from: number; to: number; signal: AbortSignal },
): Promise<void> {
  const buffer = Buffer.alloc(Math.min(COPIED_BYTES, to - from));
  for (let at = from; at < to;) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) throw new RangeError('a file has become shorter');
    await writeAll(output, buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

export async function writeAll(output: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await output.write(bytes, at);
    at += bytesWritten;
  }
}
