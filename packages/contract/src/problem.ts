import { z } from 'zod';

/** A problem document (RFC 9457), the body of every error response; content type `application/problem+json`. */
export const problemSchema = z.strictObject({
  /** `urn:perennial:error:<code>` */
  type: z.string(),
  /** The error code. */
  title: z.string(),
  status: z.int(),
  /** The message. */
  detail: z.string(),
  /** The id of the request, also in the `x-request-id` header and in the log. */
  instance: z.string(),
  /** The ids and values it is about, such as `issues`. */
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
