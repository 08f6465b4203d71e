import type { z } from 'zod';
import type { Role } from '../roles.ts';

/** One route of the REST API. The server, the OpenAPI document and the client are all made from these. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `{name}` for each path parameter. */
  path: string;
  /** The least role that may call it; a route without one does not compile. */
  role: Role;
  summary: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  response: z.ZodType;
  /** Status of a success. */
  status: 200 | 201 | 202;
  /** Other forms that the response has for who accepts them instead of JSON. */
  alsoAs?: readonly ('text/markdown' | 'text/html' | 'text/event-stream')[];
}
