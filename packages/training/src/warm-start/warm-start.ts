import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { EncoderSpec, FittedLabel } from '@perennial/contract';
import type { Artifact, WeightTensor } from '@perennial/onnx';
import { variablesByRole, weightTensor } from '../network/layer-operation.ts';
import type { LayerUse, NetworkWalk } from '../network/walk.ts';
import { tf } from '../tensorflow.ts';
import { carried, countNew, matchKeys, type AxisMap } from './carry.ts';
import { followInputs, followLabel } from './rescale.ts';
import { earlierRows, type EmbeddingFeature } from './table-rows.ts';
import { nameUnits, type Era, type UnitMap } from './units.ts';

export interface WarmStartTask {
  model: LayersModel;
  walk: NetworkWalk;
  encoder: EncoderSpec;
  label: FittedLabel;
  champion: Artifact;
}

export interface WarmStartOutcome {
  /** Whether any weight was carried over. */
  carried: boolean;
  /** In words, what was and what was not. */
  note: string;
}

/**
 * Begins a network at the champion's weights, found by layer name and within a layer by what each row and column stands for: column,
 * vocabulary entry, class. What the champion did not have keeps its fresh weights.
 */
export function warmStart(task: WarmStartTask): WarmStartOutcome {
  if (task.champion.label.kind !== task.label.kind) {
    return { carried: false, note: `fresh weights, as the champion's label is ${task.champion.label.kind}` };
  }
  const carrier = new Carrier(task);
  // A layer that is used twice has its weights under its first use's name.
  const layers = new Map(task.walk.uses.toReversed().map((use) => [use.layer, use]));
  const uses = task.walk.uses.filter((use) => layers.get(use.layer) === use && use.layer.weights.length > 0);
  const left = uses.flatMap((use) => carrier.carry(use));
  const note =
    left.length === 0
      ? "all weights are the champion's"
      : `the champion's weights, except: ${left.join('; ')}`;
  return { carried: carrier.count > 0, note: carrier.count > 0 ? note : `fresh weights: ${left.join('; ')}` };
}

class Carrier {
  /** Weights that were carried over. */
  count = 0;
  readonly #task: WarmStartTask;
  readonly #eras: { now: Era; before: Era };
  readonly #units: { now: UnitMap; before: UnitMap };

  constructor(task: WarmStartTask) {
    const { walk, champion } = task;
    this.#task = task;
    const current = new Map(walk.uses.map(({ name, layer }) => [name, variablesByRole(layer)]));
    const now: Era = {
      encoder: task.encoder,
      label: task.label,
      weight: (layer, role) => {
        const variable = current.get(layer)?.get(role);
        return variable && weightTensor(variable.read());
      },
    };
    const before: Era = { ...champion, weight: (layer, role) => champion.weights.get(`${layer}/${role}`) };
    this.#eras = { now, before };
    this.#units = {
      now: nameUnits(walk.uses, walk.output, now),
      before: nameUnits(walk.uses, walk.output, before),
    };
  }

  /** Carries one layer's weights, and says what of it could not be. */
  carry(use: LayerUse): string[] {
    const roles = [...variablesByRole(use.layer).keys()];
    if (roles.some((role) => this.#eras.before.weight(use.name, role) === undefined)) {
      return [`'${use.name}' is new`];
    }
    const maps = this.#maps(use);
    if (maps === null || !this.#fits(use, maps)) return [`'${use.name}' has another shape`];
    const weights = new Map(
      roles.map((role) => {
        const earlier = this.#eras.before.weight(use.name, role)!;
        const rows = earlier.shape.length === 1 ? Int32Array.of(0) : maps.rows;
        return [
          role,
          carried(this.#eras.now.weight(use.name, role)!, earlier, { rows, columns: maps.columns }),
        ];
      }),
    );
    if (use.layer.getClassName() === 'Dense') this.#follow(use, weights, maps.rows);
    this.#assign(use, weights);
    this.count += weights.size;
    return notes(use, maps);
  }

  /** Where the layer's rows and columns were; `null` where nothing connects the eras. */
  #maps(use: LayerUse): { rows: AxisMap; columns: AxisMap } | null {
    const now = this.#units.now.get(use.name)!;
    const before = this.#units.before.get(use.name)!;
    switch (use.layer.getClassName()) {
      case 'Embedding': {
        const rows = this.#tableRows(use.inputs[0]!);
        return rows === null ? null : { rows, columns: matchKeys(now.gives, before.gives) };
      }
      case 'Dense':
        return { rows: matchKeys(now.reads, before.reads), columns: matchKeys(now.gives, before.gives) };
      default:
        return { rows: Int32Array.of(0), columns: matchKeys(now.reads, before.reads) };
    }
  }

  #tableRows(input: string): Int32Array | null {
    const now = embeddingFeature(this.#eras.now.encoder, input);
    const before = embeddingFeature(this.#eras.before.encoder, input);
    return now === undefined || before === undefined ? null : earlierRows(now, before);
  }

  /** Whether the weights have the sizes that both eras' features say, and anything at all is carried. */
  #fits(use: LayerUse, maps: { rows: AxisMap; columns: AxisMap }): boolean {
    if (countNew(maps.rows) === maps.rows.length || countNew(maps.columns) === maps.columns.length)
      return false;
    const before = this.#units.before.get(use.name)!;
    const isDense = use.layer.getClassName() === 'Dense';
    const earlier = this.#eras.before.weight(use.name, isDense ? 'kernel' : 'table');
    if (earlier === undefined) return true;
    const rows = isDense ? before.reads.length : Math.max(...maps.rows) + 1;
    return isDense ? earlier.shape[0] === rows : earlier.shape[0]! >= rows;
  }

  #follow(use: LayerUse, weights: Map<string, WeightTensor>, rows: AxisMap): void {
    const dense = { kernel: weights.get('kernel')!, bias: weights.get('bias') };
    const [now, before] = [this.#units.now.get(use.name)!, this.#units.before.get(use.name)!];
    followInputs(dense, { now: now.reads, before: before.reads, rows });
    if (use.name === this.#task.walk.output)
      followLabel(dense, this.#eras.now.label, this.#eras.before.label);
  }

  #assign(use: LayerUse, weights: Map<string, WeightTensor>): void {
    for (const [role, variable] of variablesByRole(use.layer)) {
      const { data, shape } = weights.get(role)!;
      tf.tidy(() => void variable.write(tf.tensor(data, shape)));
    }
  }
}

function embeddingFeature({ features }: EncoderSpec, name: string): EmbeddingFeature | undefined {
  return features
    .filter((feature) => feature.kind === 'categorical' || feature.kind === 'crossed')
    .find((feature) => feature.name === name && feature.encoding.kind === 'embedding');
}

function notes(use: LayerUse, { rows, columns }: { rows: AxisMap; columns: AxisMap }): string[] {
  const fresh = [
    ['row', countNew(rows), rows.length],
    ['column', countNew(columns), columns.length],
  ] as const;
  return fresh
    .filter(([, count]) => count > 0)
    .map(([what, count, all]) => `${count} of ${all} ${what}s of '${use.name}' are new`);
}
