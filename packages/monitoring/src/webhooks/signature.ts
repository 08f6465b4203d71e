import { createHmac, randomBytes } from 'node:crypto';

const SECRET_PREFIX = 'whsec_';

/** A secret as Standard Webhooks writes it: `whsec_` and the base64 of 32 random bytes. */
export function newWebhookSecret(): string {
  return SECRET_PREFIX + randomBytes(32).toString('base64');
}

export interface SignedContent {
  /** The same at every attempt, so that a receiver can tell a repetition. */
  id: string;
  /** When this attempt is made. */
  at: Date;
  /** Exactly the bytes that are sent. */
  body: string;
  secret: string;
}

/**
 * The headers that a receiver checks a delivery by: those of Standard Webhooks (https://www.standardwebhooks.com, symmetric signatures), and those of MLflow's
 * webhooks, which sign the same content with the secret's text as it stands, prefix included, instead of the bytes it encodes.
 */
export function signatureHeaders({ id, at, body, secret }: SignedContent): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const content = `${id}.${timestamp}.${body}`;
  const sign = (key: Buffer) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': sign(Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')),
    'x-mlflow-delivery-id': id,
    'x-mlflow-timestamp': timestamp,
    'x-mlflow-signature': sign(Buffer.from(secret, 'utf8')),
  };
}
