import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** Something that a bare machine may lack and CI must have. */
interface Need {
  /** In the name or the file of the tests that want it. */
  tests: RegExp;
  missing: string;
}

const NEEDS: Need[] = [
  { tests: /S3_TEST_ENDPOINT|\bS3\b|MinIO|s3-artifact-store/, missing: 'no S3 server (S3_TEST_ENDPOINT)' },
  {
    tests: /python|onnx-checker|scikit/i,
    missing: 'no Python with onnx and scikit-learn (PERENNIAL_TEST_PYTHON)',
  },
  { tests: /DATABASE_URL|Debian/, missing: 'no PostgreSQL (DATABASE_URL)' },
];

export interface SkippedTest {
  file: string;
  name: string;
  /** What the test itself gave as its reason. */
  note?: string | undefined;
}

export interface SkipSummary {
  /** One line for every reason. */
  lines: string[];
  /** How many tests were skipped for want of what CI must have. */
  wanting: number;
}

/** Why tests were skipped, most frequent reason first. */
export function summarizeSkips(skipped: SkippedTest[]): SkipSummary {
  const counts = new Map<string, number>();
  let wanting = 0;
  for (const test of skipped) {
    const need = NEEDS.find(({ tests }) => tests.test(`${test.file} ${test.name}`));
    if (need !== undefined) wanting++;
    const reason = need?.missing ?? test.note ?? test.name;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].sort(([, one], [, other]) => other - one);
  return { lines: reasons.map(([reason, count]) => `${count} skipped: ${reason}`), wanting };
}

/**
 * Says after each run why tests were skipped. With `CI` set, a test that was skipped for want of a service or a Python that CI is to bring fails the run:
 * else it would be green for years without having tried.
 */
export class SkipSummaryReporter implements Reporter {
  #filtered = false;

  onInit(vitest: Vitest): void {
    // A filter by name skips everything else, which is no news.
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#filtered) return;
    const { lines, wanting } = summarizeSkips(modules.flatMap(skippedTests));
    for (const line of lines) process.stdout.write(`${line}\n`);
    if (wanting === 0 || (process.env['CI'] ?? '') === '') return;
    process.stdout.write(`${wanting} tests may not be skipped in CI.\n`);
    process.exitCode = 1;
  }
}

function skippedTests(module: TestModule): SkippedTest[] {
  return [...module.children.allTests('skipped')].map((test) => {
    const result = test.result();
    return {
      file: module.relativeModuleId,
      name: test.fullName,
      note: result.state === 'skipped' ? result.note : undefined,
    };
  });
}
