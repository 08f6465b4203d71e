import type { FittedFeature } from '@perennial/contract';

/** Features that read the same columns, and so cannot be shuffled one without the other. */
export interface FeatureGroup {
  /** The features' names, joined by commas. */
  name: string;
  columns: string[];
}

/** Groups features by the set of columns that they read, in the order of the features. */
export function featureGroups(features: readonly FittedFeature[]): FeatureGroup[] {
  const groups = new Map<string, FeatureGroup>();
  for (const feature of features) {
    const columns = [...new Set(columnsOf(feature))].sort();
    const key = JSON.stringify(columns);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { name: feature.name, columns });
    else group.name += `, ${feature.name}`;
  }
  return [...groups.values()];
}

function columnsOf(feature: FittedFeature): string[] {
  switch (feature.kind) {
    case 'numeric':
    case 'boolean':
    case 'categorical':
    case 'timestamp':
      return [feature.column];
    case 'crossed':
      return feature.columns.map(({ column }) => column);
  }
}
