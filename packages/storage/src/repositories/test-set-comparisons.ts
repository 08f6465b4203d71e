import { and, eq, max, sql } from 'drizzle-orm';
import type { Database } from '../database/connection.ts';
import { testSetComparisons } from '../database/schema.ts';
import { transaction, type Transaction } from '../database/transaction.ts';

/** A candidate and a champion that test rows are asked about. */
export interface TestSetDebit {
  /** Digest of the test split. */
  split: string;
  /** Digests of the artifacts. */
  candidate: string;
  champion: string;
  /** UUID of the run that asks. */
  runId: string | null;
  at: Date;
}

/** First half of the advisory lock's key; any constant that nothing else of ours uses. The split's hash is the other half. */
const LEDGER_LOCK = 0x7e57;

/**
 * Puts a question on a test split's ledger, in a transaction of its own: call it before the comparison is made, so that an answer that was
 * seen is paid for whatever happens after. A question that is on the ledger already keeps its number and costs nothing.
 *
 * @returns the question's number on that split, from 1 without gaps
 */
export async function debitTestSet(
  database: Pick<Database, 'orm'>,
  debit: TestSetDebit,
): Promise<{ comparison: number }> {
  return await transaction(database, async (tx) => {
    // One at a time per split: two that both read the highest number would both write the next one.
    await tx.execute(sql`select pg_advisory_xact_lock(${LEDGER_LOCK}::int, hashtext(${debit.split}))`);
    const known = await findComparison(tx, debit);
    if (known !== undefined) return { comparison: known };
    const [row] = await tx
      .select({ last: max(testSetComparisons.comparison) })
      .from(testSetComparisons)
      .where(eq(testSetComparisons.split, debit.split));
    const comparison = (row?.last ?? 0) + 1;
    await tx.insert(testSetComparisons).values({ ...debit, comparison });
    return { comparison };
  });
}

async function findComparison(
  tx: Transaction,
  { split, candidate, champion }: TestSetDebit,
): Promise<number | undefined> {
  const [row] = await tx
    .select({ comparison: testSetComparisons.comparison })
    .from(testSetComparisons)
    .where(
      and(
        eq(testSetComparisons.split, split),
        eq(testSetComparisons.candidate, candidate),
        eq(testSetComparisons.champion, champion),
      ),
    );
  return row?.comparison;
}
