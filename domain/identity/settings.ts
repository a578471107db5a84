import { z } from 'zod';

export const identitySettings = {
  /**
   * This project's own site or app is the one that the installation's bot signs people in for. What Telegram signs names no project:
   * where more than one took it, each could hand its visitors' on to the other and enter there as them.
   */
  telegram_sign_in: z.boolean().default(false).meta({
    description:
      "This project's own site or app is the one that the installation's bot signs people in for (`POST /auth/telegram`). What Telegram signs names no project: set it for one project, and for none whose visitors' data others are given too.",
  }),
};

type IdentitySettings = z.infer<z.ZodObject<typeof identitySettings>>;
declare module '../project/settings.ts' {
  interface ProjectSettings extends IdentitySettings {}
}
