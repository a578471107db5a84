import type { TemplateLists, TemplateReader } from '../../domain/verify/text-moderation.ts';

/** 10 s: a refusal has the list read again within it. */
const LOOK_MS = 10_000;

/**
 * Reads what a provider of SMS has approved, where no process has done so lately.
 *
 * @param onGaps told of each reading of which something was not understood.
 */
export const templateTick =
  (lists: TemplateLists, reader: TemplateReader, onGaps: (provider: string, unread: number) => void) =>
  async (): Promise<number> => {
    if (!(await lists.claim(reader.provider))) return LOOK_MS;
    const reading = await reader.read();
    if (!reading.ok)
      throw new Error(`the texts that ${reader.provider} approves were not read: ${reading.reason}`);
    if (reading.unread > 0) onGaps(reader.provider, reading.unread);
    await lists.keep(reader.provider, reading);
    return LOOK_MS;
  };
