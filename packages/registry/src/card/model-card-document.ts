import { METRIC_TITLES, type TrainedCard } from '@perennial/contract';
import type { Block, Document, Fact, Section } from '../document/document.ts';
import { boundsText, definedText, instantText, numberText, signedText } from '../document/number-text.ts';
import { calibrationSection, confusionSection, importanceSection } from './behaviour-sections.ts';
import { dataSection, featuresSection, signatureSection } from './data-sections.ts';
import { gateSection } from './gate-section.ts';
import { historySection, lineageSection } from './history-sections.ts';
import { metricsSection, slicesSection } from './metrics-sections.ts';
import { trainingSection } from './training-section.ts';
import { verdictBadge } from './verdict.ts';

/** What a model card says, in the order in which a reader wants to know it. */
export function modelCardDocument(card: TrainedCard): Document {
  const sections = [
    overviewSection(card),
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
  return {
    title: `${card.model}, version ${card.version}`,
    lead: `Registered ${instantText(card.createdAt)} from data up to ${instantText(card.data.asOf)}.`,
    glance: glance(card),
    sections: sections.filter((section) => section !== null),
  };
}

function glance({ gate, evaluation, data }: TrainedCard): Fact[] {
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

function overviewSection({ overview }: TrainedCard): Section {
  const { description, owners, intendedUse, limitations } = overview;
  return {
    title: 'Overview',
    blocks: [
      said(description, 'The author gives no description.'),
      { kind: 'heading', text: 'Owners' },
      owners.length === 0 ? { kind: 'text', text: 'Not stated.' } : { kind: 'list', items: owners },
      { kind: 'heading', text: 'Intended use' },
      said(intendedUse, 'Not stated.'),
      { kind: 'heading', text: 'Limitations' },
      limitations.length === 0
        ? { kind: 'text', text: 'None stated.' }
        : { kind: 'list', items: limitations },
    ],
  };
}

/** The author's own words, or that there are none. */
function said(text: string, otherwise: string): Block {
  return text.trim() === '' ? { kind: 'text', text: otherwise } : { kind: 'prose', text };
}
