// Makes the key that versions are signed with at PERENNIAL_SIGNING_KEY where there is none: all processes of one installation share it.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

try {
  const file = process.env.PERENNIAL_SIGNING_KEY ?? '';
  if (file === '') throw new Error('PERENNIAL_SIGNING_KEY is not set.');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) makeKey(file);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** Written whole under another name, then linked to its own: a key that is there is never replaced. */
function makeKey(file) {
  const temporary = `${file}.${randomUUID()}.tmp`;
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    writeFileSync(temporary, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    });
    linkSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}
