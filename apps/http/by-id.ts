import { z } from 'zod';

/** The path parameter of whatever is named by a UUID. */
export const ById = z.object({ id: z.uuid() });
