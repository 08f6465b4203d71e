import { z } from 'zod';
import { idSchema } from '../ids.ts';
import { versionNumberSchema } from '../model.ts';
import { nameSchema } from '../names.ts';

export const pipelineParams = z.strictObject({ pipeline: nameSchema });
export const runParams = z.strictObject({ run: idSchema('run') });
export const modelParams = z.strictObject({ model: nameSchema });
export const backfillParams = z.strictObject({ backfill: idSchema('backfill') });
export const versionParams = modelParams.extend({ version: versionNumberSchema });
