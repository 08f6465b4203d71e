export { cutRows, type RowRange } from './cut-rows.ts';
export { examineParquet, type ExaminedParquet } from './examine-parquet.ts';
export { joinOutputs } from './join-outputs.ts';
export { makeParquet, type TextFormat } from './make-parquet.ts';
export { batchColumnNames, type BatchColumns } from './batch-columns.ts';
export { scoreRows, type ScoringJob } from './score-rows.ts';
