import type { z } from 'zod';
import { categoriesSetting } from './preferences/category.ts';

export const messageSettings = { message_categories: categoriesSetting };

type MessageSettings = z.infer<z.ZodObject<typeof messageSettings>>;
declare module '../project/settings.ts' {
  interface ProjectSettings extends MessageSettings {}
}
