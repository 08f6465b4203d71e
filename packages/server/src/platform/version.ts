import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Version of the platform, as it stands in lineages and in the API's document. */
export const PLATFORM_VERSION = manifest.version;
