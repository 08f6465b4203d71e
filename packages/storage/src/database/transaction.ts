import type { PgTransactionConfig } from 'drizzle-orm/pg-core';
import { closeBuffer, openBuffer } from './audit-buffer.ts';
import { appendToChain } from './audit-chain.ts';
import type { Database } from './connection.ts';
import { TransactionConflictError } from '../errors.ts';
import type { Transaction } from './orm.ts';

export type { Transaction } from './orm.ts';

export interface TransactionOptions extends PgTransactionConfig {
  /** How often the work is begun at most. @default 5 */
  attempts?: number;
}

/**
 * Runs the work in a transaction, again when it collided with another one (serialization failure, deadlock). The work may therefore run more
 * than once and must do nothing outside the transaction. The changes it tells of by `recordChange` are put on the audit's chain just before the commit, so that
 * the chain's lock is the last that any transaction takes.
 * @throws TransactionConflictError when the last attempt collided too
 */
export async function transaction<Result>(
  database: Pick<Database, 'orm'>,
  work: (tx: Transaction) => Promise<Result>,
  { attempts = 5, ...config }: TransactionOptions = {},
): Promise<Result> {
  // drizzle writes an empty configuration as `set transaction`, which is a syntax error.
  const given = Object.keys(config).length === 0 ? undefined : config;
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.orm.transaction((tx) => audited(tx, work), given);
    } catch (error) {
      if (!(error instanceof TransactionConflictError) || attempt >= attempts) throw error;
      await pauseBefore(attempt);
    }
  }
}

async function audited<Result>(tx: Transaction, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
  const drafts = openBuffer(tx);
  const result = await work(tx).finally(() => closeBuffer(tx));
  await appendToChain(tx, drafts);
  return result;
}

/** 5 to 10 ms, doubled with each attempt: two transactions that collided must not meet again in step. */
function pauseBefore(attempt: number): Promise<void> {
  const milliseconds = 5 * 2 ** (attempt - 1) * (1 + Math.random());
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
