import type { ColumnSummary, DataCard, EncoderSpec } from '@perennial/contract';

/** What checks of the data look at: the candidate's training rows and the champion's, as their data cards have them. */
export interface CardPair {
  candidate: DataCard;
  champion: DataCard;
  /** The candidate's encoder, which says what columns are read and by which features. */
  encoder: EncoderSpec;
}

/** An input column as both cards summarise it. */
export interface ColumnPair {
  column: string;
  /** The feature that reads it; of several the one that reads nothing else. */
  feature: string;
  candidate: SummarisedRows;
  champion: SummarisedRows;
}

/** A column's summary with the number of rows it is about, and the instant (ms) that they begin at. */
export interface SummarisedRows {
  summary: ColumnSummary;
  rows: number;
  from: number;
}

/** The input columns that both cards have, as the same type and with rows. */
export function columnPairs({ candidate, champion, encoder }: CardPair): ColumnPair[] {
  return encoder.columns.flatMap(({ name }) => {
    const now = summarised(candidate, name);
    const then = summarised(champion, name);
    if (now === null || then === null || now.summary.type !== then.summary.type) return [];
    return [{ column: name, feature: featureOf(encoder, name), candidate: now, champion: then }];
  });
}

function summarised(card: DataCard, column: string): SummarisedRows | null {
  const summary = card.columns.find(({ name }) => name === column);
  const { rows, from } = card.splits.train;
  return summary === undefined || rows === 0 ? null : { summary, rows, from: Date.parse(from) };
}

/** The feature that reads a column; of several one that reads nothing else. */
export function featureOf({ features }: EncoderSpec, column: string): string {
  const alone = features.find((feature) => feature.kind !== 'crossed' && feature.column === column);
  const crossed = features.find(
    (feature) => feature.kind === 'crossed' && feature.columns.some((part) => part.column === column),
  );
  return (alone ?? crossed)?.name ?? column;
}
