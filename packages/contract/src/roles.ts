import { z } from 'zod';

/**
 * What a caller may do. `viewer` reads, `predictor` asks for predictions and posts ground truth, `operator` starts and stops
 * runs, `approver` decides releases, `admin` does everything. `public` marks routes that need no caller at all.
 */
export const roleSchema = z.enum(['viewer', 'predictor', 'operator', 'approver', 'admin']);
export type Role = z.infer<typeof roleSchema>;

const IMPLIED: Record<Role, readonly Role[]> = {
  viewer: ['viewer'],
  predictor: ['predictor'],
  operator: ['operator', 'viewer', 'predictor'],
  approver: ['approver', 'viewer'],
  admin: ['admin', 'approver', 'operator', 'predictor', 'viewer'],
};

/** Whether a caller with the given roles may do what asks for `needed`. */
export function allows(held: readonly Role[], needed: Role): boolean {
  return held.some((role) => IMPLIED[role].includes(needed));
}
