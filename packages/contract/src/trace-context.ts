import { z } from 'zod';

/** The trace that work belongs to, as it crosses processes: the header `traceparent` of W3C Trace Context, version 00. */
export const traceparentSchema = z
  .string()
  .regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/, 'must be a traceparent of W3C Trace Context');
