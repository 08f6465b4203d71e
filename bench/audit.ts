import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  migrate,
  openDatabase,
  recordChange,
  startEmbeddedPostgres,
  transaction,
  verifyAudit,
  type AuditDraft,
  type Database,
} from '@perennial/storage';

/** How long it takes to verify an audit of 100,000 entries, and how many audited transactions commit in a second when many meet on the chain. */
const ENTRIES = process.argv.includes('--short') ? 10_000 : 100_000;
const AT_ONCE = 10_000;
const TRANSACTIONS = 2_000;
const CONNECTIONS = 8;

const draft = (number: number): AuditDraft => ({
  at: new Date(),
  by: 'user:ada@example.org',
  action: 'version.tagged',
  subject: `version:flight-delay@${number}`,
  reason: 'reviewed by the growth team',
  details: { key: 'reviewed', value: 'yes', before: null },
  origin: '203.0.113.7 0190b0a4-0000-7000-8000-000000000000',
});

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

/** Audited transactions from several connections at once, one change each. */
async function commitMany(database: Database): Promise<void> {
  let begun = 0;
  const worker = async () => {
    while (begun++ < TRANSACTIONS)
      await transaction(database, async (tx) => Promise.resolve(recordChange(tx, draft(begun))));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

async function measure(database: Database): Promise<void> {
  const seconds = await timed(() => commitMany(database));
  const rate = Math.round(TRANSACTIONS / seconds);
  console.log(`${rate} audited transactions a second over ${CONNECTIONS} connections`);
  for (let written = TRANSACTIONS; written < ENTRIES; written += AT_ONCE) {
    const more = Math.min(AT_ONCE, ENTRIES - written);
    await transaction(database, async (tx) => {
      for (let i = 0; i < more; i++) recordChange(tx, draft(written + i));
      return Promise.resolve();
    });
  }
  const before = process.memoryUsage().rss;
  const verifying = await timed(async () => {
    const { entries, valid } = await verifyAudit(database);
    if (entries !== ENTRIES || !valid) throw new Error(`${entries} of ${ENTRIES} entries were found whole.`);
  });
  const grown = Math.max(0, Math.round((process.memoryUsage().rss - before) / 2 ** 20));
  console.log(
    `${ENTRIES} entries verified in ${verifying.toFixed(1)} s; resident memory grew by ${grown} MiB`,
  );
}

const folder = await mkdtemp(join(tmpdir(), 'perennial-audit-'));
await chmod(folder, 0o711);
const server = await startEmbeddedPostgres({ folder });
try {
  const database = await openDatabase({ connection: server.connection, maxConnections: CONNECTIONS });
  await migrate(database);
  await measure(database);
  await database.close();
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
