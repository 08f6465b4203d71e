import type { LabelSpec } from '@perennial/contract';
import { authorError, type CheckedSql } from './author-sql.ts';
import { finite } from './border.ts';
import { columnTypeOf, spokenType } from './column-types.ts';
import type { Condition } from './conditions.ts';
import { literals, numberText } from './sql.ts';

/** How a row's label is staged: its value, and what must hold of it. */
export interface LabelPlan {
  spec: LabelSpec;
  author: CheckedSql;
  /** The value in its final form from the author's expression, DOUBLE or VARCHAR. */
  value(sql: string): string;
  /** Over the staged column `label`. */
  conditions: Condition[];
}

/**
 * Plans the label from what the author's expression gives.
 *
 * @throws PipelineInvalidError when the expression's type does not fit the label's kind
 */
export function labelPlan(spec: LabelSpec, author: CheckedSql): LabelPlan {
  const conditions = [{ reason: `${spec.name} has a value`, sql: 'label IS NOT NULL' }];
  const type = columnTypeOf(author.type);
  switch (spec.kind) {
    case 'binary':
      if (type !== 'boolean' && type !== 'number') throw unfit(author, 'true or false, or 0 or 1');
      conditions.push({ reason: `${spec.name} is 0 or 1`, sql: 'label IS NULL OR label IN (0, 1)' });
      return { spec, author, conditions, value: (sql) => finite(`CAST(${sql} AS DOUBLE)`) };
    case 'regression':
      if (type !== 'number') throw unfit(author, 'a number');
      return { spec, author, conditions, value: (sql) => finite(`CAST(${sql} AS DOUBLE)`) };
    case 'multiclass':
      if (type === undefined || type === 'timestamp') throw unfit(author, 'text, a number or a boolean');
      if (spec.classes !== undefined) conditions.push(classCondition(spec.name, spec.classes));
      return { spec, author, conditions, value: (sql) => classText(sql, type) };
  }
}

/** That a label is among the classes; rows without a label have a reason of their own. */
export function classCondition(label: string, classes: readonly string[]): Condition {
  return {
    reason: `${label} is one of the classes ${classes.slice(0, 8).join(', ')}${classes.length > 8 ? ', …' : ''}`,
    sql: `label IS NULL OR label IN (${literals(classes)})`,
  };
}

function classText(sql: string, type: 'number' | 'boolean' | 'text'): string {
  return type === 'number'
    ? numberText(finite(`CAST(${sql} AS DOUBLE)`))
    : `nullif(CAST(${sql} AS VARCHAR), '')`;
}

function unfit(author: CheckedSql, wanted: string): Error {
  return authorError(author, `must give ${wanted}, but is ${spokenType(author.type)}`);
}
