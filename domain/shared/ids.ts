import { z } from 'zod';

/** Ids that several contexts name. Each is a UUIDv7, which carries its time. */
export const ProjectId = z.uuid().brand<'ProjectId'>();
export type ProjectId = z.infer<typeof ProjectId>;

export const JobId = z.uuid().brand<'JobId'>();
export type JobId = z.infer<typeof JobId>;

/** Of one code or approval: `verify` makes it, and whoever had a phone proven keeps it. */
export const VerificationId = z.uuid().brand<'VerificationId'>();
export type VerificationId = z.infer<typeof VerificationId>;
