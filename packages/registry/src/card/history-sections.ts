import { METRIC_TITLES, type Metric, type TrainedCard } from '@perennial/contract';
import type { Block, Section } from '../document/document.ts';
import { definedText, instantText, numberText } from '../document/number-text.ts';
import { historyPlot, type HistoryPoint } from '../plots/history-plot.ts';
import { verdictBadge, verdictTone } from './verdict.ts';

/** Where the version came from, by content: each of these can be asked for again. */
export function lineageSection({ training, lineage, gate }: TrainedCard): Section {
  return {
    title: 'Lineage',
    blocks: [
      {
        kind: 'facts',
        caption: 'Where the version came from, link by link',
        entries: [
          ['Artifact', [{ code: training.artifact }, `(${numberText(training.bytes)} bytes)`]],
          ['Run', { code: lineage.run }],
          ['Pipeline', [{ code: lineage.pipeline }, 'in its code', { code: lineage.codeDigest }]],
          ['Dataset version', { code: lineage.dataset }],
          [
            'Weights began at',
            lineage.warmStartedFrom ? { code: lineage.warmStartedFrom } : 'random numbers',
          ],
          [
            'Compared with',
            gate.champion
              ? [{ code: gate.champion.artifact }, `(version ${gate.champion.version})`]
              : 'nothing',
          ],
          ['Trained on', `${lineage.backend} (${lineage.device}), seed ${lineage.seed}`],
          ['Platform', `Perennial ${lineage.platformVersion}`],
        ],
      },
    ],
  };
}

/** The versions before this one, and how the first metric of the gate went from one to the next. */
export function historySection(card: TrainedCard): Section {
  const metric = card.gate.gate.comparisons[0]?.metric;
  if (card.history.length === 0 || metric === undefined)
    return { title: 'History', blocks: [{ kind: 'text', text: 'This is the first version.' }] };
  const title = METRIC_TITLES[metric];
  const own = [
    card.version,
    instantText(card.createdAt),
    definedText(card.evaluation.metrics[metric]),
  ] as const;
  const earlier = card.history.map(
    ({ version, createdAt, metrics, verdict }) =>
      [
        numberText(version),
        instantText(createdAt),
        definedText(metrics[metric]),
        verdict === null ? 'imported' : verdictBadge(verdict),
      ] as const,
  );
  return {
    title: 'History',
    blocks: [
      ...plotBlocks(card, metric),
      {
        kind: 'table',
        caption: `Versions, newest first; each ${title} is on the test rows of its own day`,
        head: ['Version', 'Registered', title, 'Verdict'],
        rows: [[`${own[0]} (this one)`, own[1], own[2], verdictBadge(card.gate.verdict)], ...earlier],
        numeric: [0, 2],
      },
    ],
  };
}

function plotBlocks(card: TrainedCard, metric: Metric): Block[] {
  const own = {
    version: card.version,
    verdict: card.gate.verdict,
    metrics: card.evaluation.metrics,
    interval: card.evaluation.intervals[metric],
  };
  const points = [...card.history.toReversed(), own].flatMap((version): HistoryPoint[] => {
    const value = version.metrics[metric];
    if (value === null || value === undefined) return [];
    const interval = 'interval' in version ? version.interval : undefined;
    return [
      { version: version.version, value, tone: verdictTone(version.verdict ?? 'no-baseline'), interval },
    ];
  });
  return points.length < 2 ? [] : [{ kind: 'plots', plots: [historyPlot(METRIC_TITLES[metric], points)] }];
}
