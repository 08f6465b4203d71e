import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { loadConfig } from './config.ts';

const URL = 'https://marquez.example.org/api/v1/lineage';

describe('where OpenLineage events go', () => {
  it('is nowhere unless it is said', () => {
    expect(loadConfig({}, {}).lineage).toEqual({ receiver: null, namespace: 'perennial' });
  });

  it('is an address, with a key where one is asked for, in a namespace', () => {
    const url = { PERENNIAL_OPENLINEAGE_URL: URL };
    expect(loadConfig({}, url).lineage.receiver).toEqual({ url: URL, apiKey: null });
    const all = {
      ...url,
      PERENNIAL_OPENLINEAGE_API_KEY: 'a-key',
      PERENNIAL_OPENLINEAGE_NAMESPACE: 'airline-production',
    };
    expect(loadConfig({}, all).lineage).toEqual({
      receiver: { url: URL, apiKey: 'a-key' },
      namespace: 'airline-production',
    });
  });

  it.each([
    [{ PERENNIAL_OPENLINEAGE_URL: 'marquez:5000' }, /PERENNIAL_OPENLINEAGE_URL must be an http/],
    [{ PERENNIAL_OPENLINEAGE_URL: 'https://user:secret@example.org/' }, /without user or password/],
    [{ PERENNIAL_OPENLINEAGE_API_KEY: 'a-key' }, /PERENNIAL_OPENLINEAGE_URL is needed when/],
    [{ PERENNIAL_OPENLINEAGE_URL: URL, PERENNIAL_OPENLINEAGE_API_KEY: 'a\nb' }, /API_KEY must be/],
    [{ PERENNIAL_OPENLINEAGE_NAMESPACE: ' ' }, /NAMESPACE must be/],
  ])('is refused as %j, without repeating a secret', (variables, message) => {
    const load = () => loadConfig({}, variables);
    expect(load).toThrow(ConfigurationError);
    expect(load).toThrow(message);
    expect(load).not.toThrow(/secret|a-key/);
  });
});
