import { generateKeyPairSync, sign, createHash, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STATEMENT_MEDIA_TYPE, type Attestation, type ReleaseStatement } from '@perennial/contract';
import { perennial } from '../testing/command-line.ts';

const MODEL = Buffer.from('the bytes of a model');
const hex = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
const subjects = { 'model.onnx': MODEL, 'signature.json': 'signature', 'card.json': 'card' };

const STATEMENT: ReleaseStatement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: Object.entries(subjects).map(([name, of]) => ({ name, digest: { sha256: hex(of) } })),
  predicateType: 'urn:perennial:release:v1',
  predicate: {
    model: 'churn',
    version: 3,
    release: 'rel_0190f2a0-0000-7000-8000-000000000003',
    approvedBy: ['user:ada@example.org', 'user:grace@example.org'],
    approvedAt: '2001-02-03T04:05:06.000Z',
    signature: `sha256:${hex('signature')}`,
    card: `sha256:${hex('card')}`,
    gateReport: null,
    dataset: null,
  },
};

const keys = generateKeyPairSync('ed25519');
const others = generateKeyPairSync('ed25519');
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });

/** Written here from the specification alone, so that what the platform writes and reads is not held against itself. */
function seal(statement: ReleaseStatement): Attestation['envelope'] {
  const payload = Buffer.from(JSON.stringify(statement));
  const head = `DSSEv1 ${STATEMENT_MEDIA_TYPE.length} ${STATEMENT_MEDIA_TYPE} ${payload.length} `;
  const sig = sign(null, Buffer.concat([Buffer.from(head), payload]), keys.privateKey);
  const keyid = hex(keys.publicKey.export({ type: 'spki', format: 'der' }));
  return {
    payloadType: STATEMENT_MEDIA_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid, sig: sig.toString('base64') }],
  };
}

const GOOD: Attestation = { envelope: seal(STATEMENT), statement: STATEMENT, valid: true, problem: null };

/** A platform that has this one answer. */
let server: Server;
let answer: Attestation = GOOD;
let url: string;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-verify-'));
  server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const files = {
    'public.pem': pem(keys.publicKey),
    'other.pem': pem(others.publicKey),
    'model.onnx': MODEL,
    'changed.onnx': Buffer.from('the bytes of a modem'),
    'envelope.json': JSON.stringify(GOOD.envelope),
    'answer.json': JSON.stringify(GOOD),
    'text.json': 'not JSON',
    'list.json': '[]',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(file(name), content);
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

describe("perennial verify, by the platform's word", () => {
  it('says who approved what, and ends with 0', async () => {
    answer = GOOD;
    const { status, out } = await perennial('verify', 'churn@3', '--url', url);
    expect(status).toBe(0);
    expect(out).toContain('churn@3 is what was approved by user:ada@example.org, user:grace@example.org');
    expect(out).toContain(hex(MODEL));
  });

  it('says what is wrong, and ends with 1', async () => {
    answer = { ...GOOD, valid: false, problem: 'Its card is another one.' };
    const { status, out } = await perennial('verify', 'churn@3', '--url', url);
    expect({ status, out }).toEqual({ status: 1, out: 'Not valid. Its card is another one.\n' });
  });
});

describe('perennial verify with a key', () => {
  it('does not take the word of a platform that says what is not so', async () => {
    answer = GOOD;
    const trusting = ['verify', 'churn@3', '--url', url, '--key'];
    expect((await perennial(...trusting, file('public.pem'))).status).toBe(0);
    expect((await perennial(...trusting, file('other.pem'))).status).toBe(1);
    const lie = structuredClone(GOOD);
    lie.envelope.payload = Buffer.from(JSON.stringify({ ...STATEMENT, predicateType: 'x' })).toString(
      'base64',
    );
    answer = lie;
    expect((await perennial(...trusting, file('public.pem'))).status).toBe(1);
  });

  it('does not take the attestation of another version', async () => {
    answer = GOOD;
    const { status, out } = await perennial('verify', 'churn@4', '--url', url, '--key', file('public.pem'));
    expect(status).toBe(1);
    expect(out).toContain('its version is not the one that was approved');
  });

  it.each(['envelope.json', 'answer.json'])('needs no platform where it is given %s', async (name) => {
    const offline = ['verify', '--file', file(name), '--key', file('public.pem'), '--artifact'];
    expect((await perennial(...offline, file('model.onnx'))).status).toBe(0);
    const { status, out } = await perennial(...offline, file('changed.onnx'));
    expect(status).toBe(1);
    expect(out).toContain('its artifact is not the one that was approved');
  });

  it('answers in JSON', async () => {
    const words = ['verify', '--file', file('envelope.json'), '--key', file('public.pem'), '--json'];
    expect(JSON.parse((await perennial(...words)).out)).toEqual({
      valid: true,
      problem: null,
      statement: STATEMENT,
    });
  });

  it('says that a file is no attestation', async () => {
    const { status, out } = await perennial(
      'verify',
      '--file',
      file('list.json'),
      '--key',
      file('public.pem'),
    );
    expect({ status, out }).toMatchObject({
      status: 1,
      out: expect.stringContaining('no attestation') as string,
    });
  });
});

describe('perennial verify refuses', () => {
  it.each([
    [[], 'Name a version'],
    [['churn'], 'is not a version'],
    [['churn@0'], 'is not a version'],
    [['../x@1'], 'is not a version'],
    [['churn@1', '--file', 'x.json'], 'need --key'],
    [['churn@1', '--artifact', 'x.onnx'], 'need --key'],
  ])('%j', async (words, message) => {
    const { status, errors } = await perennial('verify', ...words);
    expect(status).toBe(2);
    expect(errors).toContain(message);
  });

  it('files that are not there, or are none', async () => {
    const key = ['--key', file('public.pem')];
    expect((await perennial('verify', '--file', file('none.json'), ...key)).errors).toContain(
      'cannot be read',
    );
    expect((await perennial('verify', '--file', file('text.json'), ...key)).errors).toContain(
      'holds no JSON',
    );
    const bad = await perennial('verify', '--file', file('envelope.json'), '--key', file('model.onnx'));
    expect(bad).toMatchObject({
      status: 1,
      errors: expect.stringContaining('is not a public key') as string,
    });
  });
});
