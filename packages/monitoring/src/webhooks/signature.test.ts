import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { newWebhookSecret, signatureHeaders } from './signature.ts';

describe('the signature of a delivery', () => {
  it('is that of the specification’s example', () => {
    const headers = signatureHeaders({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      at: new Date(1_614_265_330_000),
      body: '{"test": 2432232314}',
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    });
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    expect(headers['webhook-timestamp']).toBe('1614265330');
  });

  const secret = newWebhookSecret();
  const content = { id: 'dlv_1', at: new Date(), body: '{"name":"Zürich ✈"}', secret };

  it('is accepted by the published verifier, and only for what was sent', () => {
    const verifier = new Webhook(secret);
    const headers = signatureHeaders(content);
    expect(verifier.verify(content.body, headers)).toEqual({ name: 'Zürich ✈' });
    expect(() => verifier.verify(`${content.body} `, headers)).toThrow('No matching signature');
    expect(() => verifier.verify(content.body, { ...headers, 'webhook-id': 'dlv_2' })).toThrow(
      'No matching signature',
    );
    expect(() => new Webhook(newWebhookSecret()).verify(content.body, headers)).toThrow(
      'No matching signature',
    );
  });

  it('is there as MLflow’s receivers check it, with the secret’s text as the key', () => {
    const headers = signatureHeaders(content);
    const { 'x-mlflow-delivery-id': id, 'x-mlflow-timestamp': timestamp } = headers;
    const expected = createHmac('sha256', secret)
      .update(`${id}.${timestamp}.${content.body}`)
      .digest('base64');
    expect(headers['x-mlflow-signature']).toBe(`v1,${expected}`);
  });

  it('is made with a secret of 32 random bytes, another for each webhook', () => {
    const secrets = Array.from({ length: 50 }, newWebhookSecret);
    expect(new Set(secrets).size).toBe(50);
    for (const one of secrets) {
      expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(Buffer.from(one.slice('whsec_'.length), 'base64')).toHaveLength(32);
    }
  });
});
