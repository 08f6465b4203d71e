import type {
  CommandTrainSpec,
  GateSpec,
  LabelKind,
  LabelSpec,
  LimitsSpec,
  Metric,
  PipelineSpec,
  ScheduleSpec,
  StepPolicy,
  ValidateSpec,
  WindowSpec,
} from '@perennial/contract';
import type { ExpectationOn } from './expectations.ts';
import type { FeatureOn } from './features.ts';
import type { BehaviourOn, ComparisonOn, GateRule, GoldenSetInput, MetricOf, SlicesInput } from './gate.ts';
import type { QueryFunction, Source } from './sources.ts';
import type { CustomTrain, MlpSpec, TrainFunction } from './train.ts';

/** What an author writes: see {@link definePipeline}. `Column` are the source's columns, `Name` the features' names. */
export interface PipelineInput<
  Column extends string = string,
  Label extends LabelSpec = LabelSpec,
  Name extends string = string,
> {
  /** Lower-case letters, digits and hyphens; also the model's name. */
  name: string;
  description?: string;
  /** Who answers for the model; stands on its card. */
  owners?: string[];
  intendedUse?: string;
  /** Where the model should not be trusted; one sentence each. */
  limitations?: string[];
  /** When runs start by themselves: a cron expression (UTC), or one with its time zone. Absent: only when asked. */
  schedule?: string | ScheduleInput;
  /** What else starts a run: files that come, events that gather. */
  triggers?: TriggersInput;
  /** When a trigger starts no run. */
  limits?: LimitsInput;
  /** How long each step may take, and how often it is tried when what stopped it can pass by itself. */
  steps?: { [Step in keyof PipelineSpec['steps']]?: Partial<StepPolicy> };
  data: DataInput<Column>;
  label: Label;
  /** By name; a feature reads the column of its own name unless it says otherwise. */
  features: { [Key in Name]: FeatureOn<Key, NoInfer<Column>> };
  train: MlpSpec | CustomTrain | TrainFunction | CommandTrainSpec;
  validate: ValidateInput<NoInfer<Column>, MetricOf<LabelKindOf<Label>>>;
  /**
   * Whether a version that passed goes live by itself or waits for approvers.
   * @default { approval: 'automatic' }
   */
  release?: ReleaseInput;
  /** @default { modes: ['online'] } */
  serving?: PipelineSpec['serving'];
}

export type ReleaseInput =
  | { approval: 'automatic' }
  | {
      approval: 'required';
      /**
       * How many different people must approve, none of whom asked for the release; 1 to 10.
       * @default 1
       */
      approvers?: number;
      /**
       * How long an approval holds.
       * @default '7d'
       */
      expires?: string;
    };

export interface ScheduleInput {
  /** Five fields, or six with seconds first. */
  cron: string;
  /**
   * An IANA zone such as `America/Chicago`.
   * @default 'UTC'
   */
  timezone?: string;
  /**
   * Which of the due times that passed while no scheduler was up are made good: the newest, all in order, or none.
   * @default 'latest'
   */
  catchUp?: ScheduleSpec['catchUp'];
}

export interface TriggersInput {
  /**
   * A run when files of the source, or of `paths`, have come that were not there before. Each counts once, by its content.
   * `settle` is how long a file's size and time must stand still before it is taken. @default { settle: '10s' }
   */
  files?: { paths?: string[]; settle?: string };
  /** A run when so many events have gathered in a stream, or the oldest has waited so long. */
  stream?: { stream: string; events: number; within: string };
}

export interface LimitsInput {
  /** Times of day at which no trigger starts a run, such as `{ from: '08:00', to: '20:00', timezone: 'Europe/Berlin' }`. */
  quietHours?: { from: string; to: string; timezone: string };
  /**
   * Whether a trigger that comes while a run is under way waits for its end or is skipped.
   * @default 'wait'
   */
  whenBusy?: LimitsSpec['whenBusy'];
  /** Minutes of training a day (UTC), beyond which triggers are skipped. */
  trainingMinutesPerDay?: number;
}

export interface DataInput<Column extends string> {
  source: Source<Column>;
  /** The column that says when a row happened. */
  time: NoInfer<Column>;
  /** The column that names the entity a row is about. */
  key?: NoInfer<Column>;
  /** How much of the newest data goes where: train, then validation, then test, which is the newest. */
  window: WindowSpec;
  /** What must hold of the rows; those that break one go to quarantine. */
  expectations?: ExpectationOn<NoInfer<Column>>[];
}

export interface ValidateInput<Column extends string, M extends Metric> {
  /** One rule or several: at least one comparison with the champion (`notWorse`; the first is the primary one), and floors and ceilings. */
  gate: ComparisonOn<M> | GateRule<M>[];
  /**
   * What becomes of a candidate that the test rows can tell nothing about.
   * @default 'hold'
   */
  inconclusive?: GateSpec['inconclusive'];
  /** Columns whose values, and pairs of values, the evaluation is broken down by and compared on. @default [] */
  slices?: Column[] | SlicesInput<Column>;
  /** @default [] */
  goldenSets?: GoldenSetInput<M>[];
  /** What is known of how the answer must behave. @default [] */
  behaviour?: BehaviourOn<Column>[];
  /** Where a check is to count for more or less than it does by itself: `{ 'label-leak': 'report' }`. */
  checks?: ValidateSpec['checks'];
  /**
   * How many candidates one set of test rows may be asked about before it is worn out and fresh rows are needed.
   * @default { comparisons: 10 }
   */
  testSet?: ValidateSpec['testSet'];
}

type LabelKindOf<Label extends LabelSpec> = NoInfer<Label>['kind'] & LabelKind;

/** A pipeline, checked and in its normal form, with the author's functions beside it. */
export interface PipelineDefinition {
  readonly spec: PipelineSpec;
  readonly functions: PipelineFunctions;
}

export interface PipelineFunctions {
  readonly train?: TrainFunction;
  /** Yields the rows of a source of the kind `query`. */
  readonly query?: QueryFunction;
}
