import { describe, expect, it } from 'vitest';
import { WebhookAddressError } from '../errors.ts';
import { addressesOf, type HostAddress } from './destination.ts';

const v4 = (address: string): HostAddress => ({ address, family: 4 });
const v6 = (address: string): HostAddress => ({ address, family: 6 });
const ask = (url: string, addresses: HostAddress[] = [], allowPrivate = false) =>
  addressesOf(new URL(url), { allowPrivate, resolve: async () => addresses });

describe('the addresses of a URL', () => {
  it('are those its name stands for', async () => {
    const addresses = [v4('93.184.216.34'), v6('2606:4700::1')];
    expect(await ask('https://hooks.example:8443/a', addresses)).toEqual(addresses);
  });

  it('are the one it holds', async () => {
    expect(await ask('http://8.8.8.8/a')).toEqual([v4('8.8.8.8')]);
    expect(await ask('http://[2606:4700::1]/a')).toEqual([v6('2606:4700::1')]);
  });

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://017700000001/',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0.0.0.0:5432/',
  ])('are refused where they are not public: %s', async (url) => {
    await expect(ask(url)).rejects.toBeInstanceOf(WebhookAddressError);
    await expect(ask(url)).rejects.toThrow('PERENNIAL_WEBHOOK_ALLOW_PRIVATE=true');
    await expect(ask(url, [], true)).resolves.toHaveLength(1);
  });

  it.each(['127.0.0.1', '10.0.0.7', '169.254.169.254', '100.64.0.1'])(
    'are refused where a name leads to %s, also beside a public one',
    async (address) => {
      const refused = ask('https://hooks.example/', [v4('93.184.216.34'), v4(address)]);
      await expect(refused).rejects.toThrow(`hooks.example leads to ${address}`);
    },
  );

  it('are the machine’s own for localhost, by the machine’s resolver', async () => {
    const url = new URL('http://localhost:1/');
    await expect(addressesOf(url, { allowPrivate: false })).rejects.toThrow('(loopback)');
    const found = await addressesOf(url, { allowPrivate: true });
    expect(found.map(({ address }) => address)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(127\.|::1)/)]),
    );
  });

  it('cannot be told of a name that stands for nothing', async () => {
    await expect(ask('https://hooks.example/')).rejects.toThrow("the host 'hooks.example' has no address");
    const cause = new Error('getaddrinfo ENOTFOUND');
    const network = { allowPrivate: true, resolve: async () => Promise.reject(cause) };
    const failing = addressesOf(new URL('https://absent.example/'), network);
    await expect(failing).rejects.toMatchObject({ code: 'invalid-request', cause });
  });
});
