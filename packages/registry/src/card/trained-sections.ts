import { METRIC_TITLES, type TrainedCard } from '@perennial/contract';
import type { Fact, Section } from '../document/document.ts';
import { boundsText, definedText, numberText, signedText } from '../document/number-text.ts';
import { calibrationSection, confusionSection, importanceSection } from './behaviour-sections.ts';
import { dataSection, featuresSection, signatureSection } from './data-sections.ts';
import { gateSection } from './gate-section.ts';
import { historySection, lineageSection } from './history-sections.ts';
import { metricsSection, slicesSection } from './metrics-sections.ts';
import { trainingSection } from './training-section.ts';
import { verdictBadge } from './verdict.ts';

/** What a run's version has after what all versions have, in the order in which a reader wants to know it. */
export function trainedSections(card: TrainedCard): (Section | null)[] {
  return [
    gateSection(card),
    metricsSection(card),
    slicesSection(card),
    calibrationSection(card),
    confusionSection(card),
    importanceSection(card),
    dataSection(card),
    featuresSection(card),
    signatureSection(card),
    trainingSection(card),
    lineageSection(card),
    historySection(card),
  ];
}

export function trainedGlance({ gate, evaluation, data }: TrainedCard): Fact[] {
  const facts: Fact[] = [['Gate', verdictBadge(gate.verdict)]];
  const [primary] = gate.comparisons;
  const metric = primary?.metric ?? gate.gate.comparisons[0]?.metric;
  if (metric !== undefined) {
    const interval = evaluation.intervals[metric];
    const value = definedText(evaluation.metrics[metric]);
    facts.push([METRIC_TITLES[metric], interval ? [value, { aside: boundsText(interval) }] : value]);
  }
  if (primary?.difference) facts.push(['Against the champion', signedText(primary.difference.value)]);
  return [
    ...facts,
    ['Training rows', numberText(data.rows.train)],
    ['Test rows', numberText(evaluation.rows)],
  ];
}
