import { binary, command, csv, definePipeline, notWorse, numeric } from './index.ts';

const base = {
  name: 'flights',
  data: { source: csv('flights.csv'), time: 'date', window: { train: '4d', validation: '1d', test: '1d' } },
  label: binary('late', { from: 'delay > 15' }),
  features: { distance: numeric() },
  validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }) },
};

definePipeline({ ...base, train: command(['python', 'train.py']) });
definePipeline({
  ...base,
  train: command(['Rscript', 'train.R'], { environment: ['R_LIBS'], timeout: '4h', seed: 3 }),
});
// @ts-expect-error there is nothing to run
command([]);
// @ts-expect-error a command is a list of words, since there is no shell to split it
command('python train.py');
// @ts-expect-error there is no option of that name: a command makes its own passes
command(['python', 'train.py'], { epochs: 3 });
// @ts-expect-error variables are named; their values are the machine's
command(['python', 'train.py'], { environment: { TOKEN: 'abc' } });
