import type { GateSpec } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import type { RegressionRows } from '../scoring/scored-rows.ts';
import { RandomStream } from '../statistics/random.ts';
import { nextNormal } from '../testing/simulated-models.ts';
import { answerComparisons } from './comparisons.ts';

/**
 * Somebody who submits candidate after candidate against one set of test rows, and looks at what the gate says. The champion misses every label by
 * normal noise. A candidate is the champion moved by δ up or down on every row: whatever the pattern of ups and downs, on rows that nobody has
 * seen its squared error is larger by δ², so that it is worse by exactly the margin. Only the test rows at hand can make it look better.
 */
const ROWS = 100;
const NOISE = 1;
const MOVE = 0.5;
const MARGIN = Math.sqrt(NOISE ** 2 + MOVE ** 2) - NOISE;
const CONFIDENCE = 0.95;
const SUBMISSIONS = 200;
const TEST_SETS = 300;
/** Of 300 test sets this much may be exceeded by chance once in a hundred seeds: 2.9 %. */
const MONTE_CARLO = 2.33 * Math.sqrt(((1 - CONFIDENCE) * CONFIDENCE) / TEST_SETS);

const GATE: GateSpec = {
  comparisons: [
    { kind: 'notWorse', metric: 'rmse', margin: MARGIN, confidence: CONFIDENCE, replicates: 100 },
  ],
  limits: [],
  inconclusive: 'hold',
};
const BUDGET = 10;

const digest = (text: string): string => `sha256:${Buffer.from(text).toString('hex').padStart(64, '0')}`;

/** Up (1) or down (−1) by row. */
type Pattern = Int8Array;
/** A pattern that was submitted, and what the gate said: candidate minus champion, more is better; null where it does not say. */
interface Answer {
  pattern: Pattern;
  value: number | null;
}
type Strategy = (random: RandomStream, answers: Answer[]) => Pattern;

const perturbsAtRandom: Strategy = (random) => randomPattern(random);

/** Changes a fifth of the best pattern so far. */
const climbs: Strategy = (random, answers) => {
  const best = bestOf(answers);
  if (best === undefined) return randomPattern(random);
  const drawn = draws(random);
  return best.pattern.map((move, row) => (drawn[row]! < 0.2 * 2 ** 32 ? -move : move));
};

/** Half of the questions learn; every other one adds up what was learnt: each row moves the way that the better patterns moved it. */
const addsUp: Strategy = (random, answers) => {
  const told = answers.filter((answer) => answer.value !== null);
  if (told.length < 2 || told.length % 2 === 1) return randomPattern(random);
  const mean = told.reduce((sum, { value }) => sum + value!, 0) / told.length;
  return randomPattern(random).map((move, row) => {
    const vote = told.reduce((sum, { pattern, value }) => sum + (value! - mean) * pattern[row]!, 0);
    return vote === 0 ? move : Math.sign(vote);
  });
};

function randomPattern(random: RandomStream): Pattern {
  const drawn = draws(random);
  const pattern = new Int8Array(ROWS);
  for (let row = 0; row < ROWS; row++) pattern[row] = drawn[row]! < 2 ** 31 ? -1 : 1;
  return pattern;
}

/** A number in [0, 2^32) per row, drawn at once: one by one they would take most of the test's time. */
function draws(random: RandomStream): Uint32Array {
  const drawn = new Uint32Array(ROWS);
  random.fill(drawn);
  return drawn;
}

function bestOf(answers: Answer[]): Answer | undefined {
  return answers.reduce<Answer | undefined>(
    (best, answer) => ((answer.value ?? -Infinity) > (best?.value ?? -Infinity) ? answer : best),
    undefined,
  );
}

/** Whether a candidate gets through on one set of test rows. */
async function getsThrough(testSet: number, strategy: Strategy, ledger: boolean): Promise<boolean> {
  const random = new RandomStream(['adversary', strategy.name, String(testSet)]);
  const labels = new Float64Array(ROWS);
  const champion = Float32Array.from({ length: ROWS }, () => NOISE * nextNormal(random));
  const answers: Answer[] = [];
  for (let submission = 1; submission <= SUBMISSIONS; submission++) {
    const pattern = strategy(random, answers);
    const value = champion.map((missed, row) => missed + MOVE * pattern[row]!);
    const candidate: RegressionRows = { kind: 'regression', labels, value };
    const answer = await answerComparisons({
      gate: GATE,
      dataset: digest(`day ${testSet}`),
      split: digest(`test ${testSet}`),
      candidate: { artifact: digest(`candidate ${submission}`), scored: candidate },
      seenRows: 0,
      champion: {
        model: 'delay',
        version: 1,
        artifact: digest('champion'),
        answers: { scored: { kind: 'regression', labels, value: champion } },
      },
      clusters: {},
      debit: () =>
        Promise.resolve({ budget: ledger ? BUDGET : SUBMISSIONS, comparison: ledger ? submission : 1 }),
    });
    const [comparison] = answer.comparisons;
    if (comparison!.verdict === 'pass') return true;
    answers.push({ pattern, value: comparison!.difference?.value ?? null });
  }
  return false;
}

async function shareThatGetsThrough(
  strategy: Strategy,
  { ledger, testSets }: { ledger: boolean; testSets: number },
): Promise<number> {
  let through = 0;
  for (let testSet = 0; testSet < testSets; testSet++)
    if (await getsThrough(testSet, strategy, ledger)) through++;
  return through / testSets;
}

describe.each([
  { name: 'perturbs the champion at random', strategy: perturbsAtRandom },
  { name: 'climbs from its best candidate', strategy: climbs },
  { name: 'adds up what it has learnt', strategy: addsUp },
])('an adversary that $name', ({ strategy }) => {
  it('gets a candidate that is worse by the margin through no more often than the confidence allows', async () => {
    const share = await shareThatGetsThrough(strategy, { ledger: true, testSets: TEST_SETS });
    expect(share).toBeLessThanOrEqual(1 - CONFIDENCE + MONTE_CARLO);
  });

  it('would get one through nearly always, if the test set kept no ledger', async () => {
    const share = await shareThatGetsThrough(strategy, { ledger: false, testSets: 20 });
    expect(share).toBeGreaterThan(0.8);
  });
});
