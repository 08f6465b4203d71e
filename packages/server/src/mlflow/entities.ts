import type { Lineage, Tags } from '@perennial/contract';
import type { FoundModel, FoundVersion } from '@perennial/storage';
import { z } from 'zod';

/** What MLflow's messages RegisteredModel and ModelVersion hold here (https://mlflow.org/docs/latest/rest-api.html). Times are milliseconds since 1970, versions are texts. */

const tagSchema = z.strictObject({ key: z.string(), value: z.string() });

export const mlflowVersionSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  creation_timestamp: z.int(),
  last_updated_timestamp: z.int(),
  user_id: z.string(),
  /** Stages are deprecated since MLflow 2.9: aliases say what a version is for. */
  current_stage: z.literal('None'),
  description: z.string(),
  /** Where the artifact can be fetched. */
  source: z.string(),
  /** Absent of a version that was made elsewhere. */
  run_id: z.string().optional(),
  status: z.literal('READY'),
  tags: z.array(tagSchema),
  aliases: z.array(z.string()),
});
export type MlflowVersion = z.infer<typeof mlflowVersionSchema>;

export const mlflowModelSchema = z.strictObject({
  name: z.string(),
  creation_timestamp: z.int(),
  last_updated_timestamp: z.int(),
  description: z.string(),
  latest_versions: z.array(mlflowVersionSchema),
  tags: z.array(tagSchema),
  aliases: z.array(z.strictObject({ alias: z.string(), version: z.string() })),
});
export type MlflowModel = z.infer<typeof mlflowModelSchema>;

export function toMlflowModel(
  found: FoundModel,
  { latest, baseUrl }: { latest: FoundVersion | undefined; baseUrl: string },
): MlflowModel {
  return {
    name: found.name,
    creation_timestamp: found.createdAt.getTime(),
    last_updated_timestamp: found.changedAt.getTime(),
    description: found.description,
    latest_versions: latest ? [toMlflowVersion(latest, baseUrl)] : [],
    tags: tagList(found.tags),
    aliases: found.aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
  };
}

export function toMlflowVersion(found: FoundVersion, baseUrl: string): MlflowVersion {
  return {
    name: found.model,
    version: String(found.version),
    creation_timestamp: found.createdAt.getTime(),
    last_updated_timestamp: found.changedAt.getTime(),
    user_id: makerOf(found.lineage),
    current_stage: 'None',
    description: found.description,
    source: artifactUrl(found, baseUrl),
    ...(found.lineage.kind === 'run' ? { run_id: found.lineage.run } : {}),
    status: 'READY',
    tags: tagList(found.tags),
    aliases: found.aliases,
  };
}

/** Who made a version, as events and audit name them. */
function makerOf(lineage: Lineage): string {
  switch (lineage.kind) {
    case 'run':
      return `pipeline:${lineage.pipeline}`;
    case 'imported':
      return lineage.by;
  }
}

function artifactUrl({ model, version }: Pick<FoundVersion, 'model' | 'version'>, baseUrl: string): string {
  return `${baseUrl}/v1/models/${model}/versions/${version}/artifact`;
}

function tagList(tags: Tags): { key: string; value: string }[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
