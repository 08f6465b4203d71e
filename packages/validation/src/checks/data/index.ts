export { type CardPair } from './card-pair.ts';
export { droppedCategoryFindings } from './dropped-category.ts';
export { featureShiftFindings, featureShifts } from './feature-shift.ts';
export { labelLeakFindings, type LabelLeakOptions } from './label-leak.ts';
export { unitChangeFindings } from './unit-change.ts';
