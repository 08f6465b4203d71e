import { IdGenerator, systemClock } from '@perennial/contract';
import { Signer, SigningKey, TrustedKeys } from '@perennial/registry';
import { openDatabase, type DatabaseAddress } from '@perennial/storage';
import { changeChampion } from './promotions.ts';

/** A process that promotes and rolls back without end, two at a time, and says when it has begun. Made to be killed. */
// Whoever started it is gone, and nobody would kill it any more.
process.once('disconnect', () => process.exit());
const { address, pem, versions } = JSON.parse(process.argv[2] ?? '') as {
  address: DatabaseAddress;
  pem: string;
  versions: number;
};
const key = SigningKey.read(pem);
const signer = new Signer({ key, trusted: new TrustedKeys([key.publicKey]) });
const database = await openDatabase({ ...address, maxConnections: 2 });
const desk = { database, clock: systemClock, ids: new IdGenerator(systemClock), signer };

async function promoteWithoutEnd(): Promise<never> {
  for (;;) {
    await changeChampion(desk, versions);
    process.send?.('changed');
  }
}

await Promise.all([promoteWithoutEnd(), promoteWithoutEnd()]);
