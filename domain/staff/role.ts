import { z } from 'zod';

/** Staff roles (X12): what each may do is the board's and `/ops`' own list. */
export const staffRoles = ['admin', 'operator', 'finance', 'developer', 'viewer'] as const;
export const StaffRole = z.enum(staffRoles);
export type StaffRole = z.infer<typeof StaffRole>;
