import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { loadConfig } from './config.ts';

const connections = (variables: NodeJS.ProcessEnv) => loadConfig({}, variables).connections;

describe('connections', () => {
  it('are named by their variables, lower-cased and with hyphens', () => {
    const warehouse = 'postgres://reader:secret@db.example.org/warehouse';
    expect(
      connections({
        PERENNIAL_CONNECTION_WAREHOUSE: warehouse,
        PERENNIAL_CONNECTION_Cold_Store_2: 'postgresql://cold/store',
        PERENNIAL_CONNECTION_UNUSED: '',
        PERENNIAL_CONNECTIONS: 'nothing of ours',
      }),
    ).toEqual({ warehouse, 'cold-store-2': 'postgresql://cold/store' });
    expect(connections({})).toEqual({});
  });

  it.each([
    ['PERENNIAL_CONNECTION_WAREHOUSE', 'mysql://reader:secret@db/warehouse', 'must be a postgres:// URL'],
    ['PERENNIAL_CONNECTION_WAREHOUSE', 'secret', 'must be a postgres:// URL'],
    ['PERENNIAL_CONNECTION_', 'postgres://reader:secret@db/x', 'must go on with a name'],
    ['PERENNIAL_CONNECTION_2', 'postgres://reader:secret@db/x', 'must go on with a name'],
  ])('are refused by name and without their address: %s=%s', (variable, value, message) => {
    const load = () => connections({ [variable]: value });
    expect(load).toThrow(ConfigurationError);
    expect(load).toThrow(`${variable}`);
    expect(load).toThrow(message);
    expect(load).not.toThrow('secret');
  });

  it('whose names come to the same are refused, since one would hide the other', () => {
    const url = 'postgres://db/x';
    expect(() => connections({ PERENNIAL_CONNECTION_A_B: url, PERENNIAL_CONNECTION_a_b: url })).toThrow(
      'PERENNIAL_CONNECTION_a_b',
    );
  });
});
