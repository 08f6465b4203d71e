import { METRIC_TITLES, type Curves, type Evaluation, type TrainedCard } from '@perennial/contract';
import { definedText } from '../document/number-text.ts';
import { curvePlot } from '../plots/curve-plot.ts';
import type { Plot } from '../plots/plot.ts';

/** The curves of a version with a binary label, the champion's beneath them; of other labels none. */
export function evaluationPlots({ evaluation, championEvaluation, gate }: TrainedCard): Plot[] {
  const { curves } = evaluation;
  if (curves === null) return [];
  const name = gate.champion ? `version ${gate.champion.version}` : 'champion';
  const other = (of: keyof Pick<Curves, 'roc' | 'precisionRecall'>) => {
    const champion = championEvaluation?.curves;
    return champion ? { name, curve: champion[of] } : null;
  };
  return [
    rocPlot(evaluation, curves, other('roc')),
    precisionRecallPlot(evaluation, curves, other('precisionRecall')),
  ];
}

type Other = { name: string; curve: Curves['roc'] } | null;

function rocPlot({ metrics }: Evaluation, { roc }: Curves, other: Other): Plot {
  return curvePlot({
    title: `ROC: ${METRIC_TITLES.auc} ${definedText(metrics.auc)}`,
    description:
      'True positive rate by false positive rate at every threshold; the dashed line is what chance comes to.',
    xLabel: 'False positive rate',
    yLabel: 'True positive rate',
    legend: 'bottom',
    curve: roc,
    other,
    reference: [
      [0, 0],
      [1, 1],
    ],
  });
}

function precisionRecallPlot({ meanLabel }: Evaluation, curves: Curves, other: Other): Plot {
  return curvePlot({
    title: `Precision–recall: average precision ${definedText(curves.averagePrecision)}`,
    description: 'Precision by recall at every threshold; the dashed line is the share of true labels.',
    xLabel: 'Recall',
    yLabel: 'Precision',
    legend: 'top',
    curve: curves.precisionRecall,
    other,
    reference:
      meanLabel === null
        ? []
        : [
            [0, meanLabel],
            [1, meanLabel],
          ],
  });
}
