import type { TrainedCard, TrainSpec } from '@perennial/contract';
import type { Block, Fact, Section } from '../document/document.ts';
import { bytesText, countText, metricText, numberText, secondsText } from '../document/number-text.ts';

/** What was fitted, on what machine, how long it took, and what the exported file differs by. */
export function trainingSection({ training }: TrainedCard): Section {
  const { spec, parity, hardware } = training;
  const entries: Fact[] = [
    [spec.kind === 'command' ? 'Command' : 'Network', describeTrainer(spec)],
    ['Parameters', training.parameters === null ? 'not known' : numberText(training.parameters)],
    ...fitFacts(spec),
    ['Start', training.warmStart.note],
    ['Calibration', describeCalibration(training.calibration)],
    ['Seed', String(training.seed)],
    ['Backend', `${training.backend} (${training.device})`],
    ['Machine', describeMachine(hardware)],
    ['Time', secondsText(training.seconds)],
    ['Exported file against network', describeParity(parity)],
  ];
  return {
    title: 'Training',
    blocks: [
      { kind: 'facts', caption: 'How the version was trained', entries },
      { kind: 'heading', text: spec.kind === 'command' ? 'Operators' : 'Layers' },
      { kind: 'list', items: training.architecture },
      ...epochBlocks(training.epochs),
    ],
  };
}

function fitFacts(spec: TrainSpec): Fact[] {
  if (spec.kind === 'command') return [];
  const { optimizer, learningRate, batchSize } = spec;
  return [
    ['Fit', `${optimizer}, learning rate ${numberText(learningRate)}, batches of ${numberText(batchSize)}`],
  ];
}

function describeMachine({ cpu, cores, memoryBytes, node }: TrainedCard['training']['hardware']): string {
  return `${cpu}, ${countText(cores, 'core')}, ${bytesText(memoryBytes)} of memory, Node ${node}`;
}

function describeParity(parity: TrainedCard['training']['parity']): string {
  if (parity === null) return 'not applicable: the command left the file alone';
  return `at most ${numberText(parity.maxDifference)} apart on ${countText(parity.rows, 'row')}`;
}

function describeCalibration(calibration: TrainedCard['training']['calibration']): string {
  if (calibration === null) return 'none';
  const { method, temperature, points, logLoss } = calibration;
  const fitted =
    temperature === null
      ? `rising through ${countText(points?.length ?? 0, 'point')}`
      : `divides by ${numberText(temperature)}`;
  const before = `${metricText(logLoss.before)} without it`;
  return `${method}, ${fitted}: log loss on the validation rows ${metricText(logLoss.after)}, ${before}`;
}

function epochBlocks(epochs: TrainedCard['training']['epochs']): Block[] {
  if (epochs.length === 0) return [];
  const rows = epochs.map(({ epoch, loss, validationLoss }) => [
    numberText(epoch),
    metricText(loss),
    validationLoss === null ? '' : metricText(validationLoss),
  ]);
  return [
    { kind: 'heading', text: 'Epochs' },
    {
      kind: 'table',
      caption: 'Loss by epoch',
      head: ['Epoch', 'Loss', 'Validation loss'],
      rows,
      numeric: [0, 1, 2],
    },
  ];
}

function describeTrainer(spec: TrainSpec): string {
  switch (spec.kind) {
    case 'command':
      return spec.command.join(' ');
    case 'custom':
      return "made by the pipeline's own function";
    case 'mlp': {
      const layers =
        spec.hidden.length === 0 ? 'no hidden layer' : `hidden layers of ${spec.hidden.join(', ')}`;
      const dropout = spec.dropout > 0 ? `, dropout ${numberText(spec.dropout)}` : '';
      return `${layers}, ${spec.activation}${dropout}${spec.batchNormalization ? ', batch normalisation' : ''}`;
    }
  }
}
