import { z } from 'zod';

/** One thing the doctor looked at. `weak` works, but could be better: `advice` says how. */
export const checkupSchema = z.strictObject({
  name: z.string(),
  state: z.enum(['good', 'weak', 'bad']),
  found: z.string(),
  advice: z.string().nullable(),
});
export type Checkup = z.infer<typeof checkupSchema>;
export const doctorReportSchema = z.strictObject({ checkups: z.array(checkupSchema) });
export type DoctorReport = z.infer<typeof doctorReportSchema>;
