import { expect, it } from 'vitest';
import { allows, roleSchema, type Role } from './roles.ts';

const MAY: Record<Role, Role[]> = {
  viewer: ['viewer'],
  predictor: ['predictor'],
  operator: ['viewer', 'predictor', 'operator'],
  approver: ['viewer', 'approver'],
  admin: ['viewer', 'predictor', 'operator', 'approver', 'admin'],
};

it.each(Object.entries(MAY))('%s may do what needs %j and nothing else', (held, may) => {
  expect(roleSchema.options.filter((needed) => allows([held as Role], needed))).toEqual(may);
});

it('may do what any of its roles may', () => {
  expect(allows(['predictor', 'approver'], 'predictor')).toBe(true);
  expect(allows(['predictor', 'approver'], 'approver')).toBe(true);
  expect(allows(['predictor', 'approver'], 'operator')).toBe(false);
});

it('may do nothing without a role', () => {
  expect(roleSchema.options.filter((needed) => allows([], needed))).toEqual([]);
});
