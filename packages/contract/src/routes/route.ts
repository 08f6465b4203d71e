import type { z } from 'zod';
import type { Role } from '../roles.ts';

/** One route of the REST API. The server, the OpenAPI document and the client are all made from these. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `{name}` for each path parameter. */
  path: string;
  /** The least role that may call it; a route without one does not compile. `public`: nobody need say who they are. */
  role: Role | 'public';
  /**
   * How a token that is bound to models is held to them; a route without one does not compile. `model`: the path names the model or the pipeline. `resource`: the thing in the
   * path belongs to one. `list`: only what belongs to them is listed. `body`: the request's items name it, and the handler checks each. `installation`: not for such a
   * token. `any`: about no model.
   */
  scope: 'model' | 'resource' | 'list' | 'body' | 'installation' | 'any';
  summary: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  response: z.ZodType;
  /** Status of a success. */
  status: 200 | 201 | 202;
  /** Where what was made is found, with `{name}` for fields of the response; sent as the header Location. */
  location?: string;
  /** Whether the body may be as large as the installation lets uploads be, instead of requests. */
  upload?: true;
  /** Other forms that the response has for who accepts them instead of JSON. */
  alsoAs?: readonly ('text/markdown' | 'text/html' | 'text/event-stream' | 'application/octet-stream')[];
}
