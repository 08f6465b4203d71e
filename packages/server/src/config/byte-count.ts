import { z } from 'zod';

const UNITS: Record<string, number> = {
  '': 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
const FORM = /^(\d{1,15})\s*((?:[KMG]i?B)?)$/;

/** A number of bytes as people write it: `400MB` (millions), `1GiB` (1024³), or the plain number. */
export function byteCount(min: number) {
  return z
    .string()
    .transform(parseBytes)
    .refine((bytes) => bytes >= min, {
      error: `must be a number of bytes such as 400MB, 1GiB or 536870912, at least ${min}`,
    });
}

function parseBytes(text: string): number {
  const match = FORM.exec(text.trim());
  return match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
}
