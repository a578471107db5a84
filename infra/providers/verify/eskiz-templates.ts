import { z } from 'zod';
import { StorableText } from '../../../domain/shared/bad-text.ts';
import { compileTemplate } from '../../../domain/shared/moderated-template.ts';
import type { ListedTemplate } from '../../../domain/verify/approved-texts.ts';
import type { ListReading, TemplateReader } from '../../../domain/verify/text-moderation.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { ask, type HttpAnswer, keptAlive } from '../http.ts';
import { replyWithoutAnswer, unexpected } from '../replies.ts';
import { ESKIZ_PROVIDER, type EskizSession } from './eskiz-session.ts';

/** 1 MiB: some thousand texts. */
const LIST_BYTES_MAX = 1_048_576;
const TEMPLATES_MAX = 2_000;
const TEMPLATE_CHARS_MAX = 2_000;
/** 8 s for one reading, with a login where one is needed. */
const READ_MS_MAX = 8_000;

/** The texts of its moderation, each with its word: for codes and bills, or for advertising. Another word is one that we don't know. */
const statuses: ReadonlyMap<string, { readonly isApproved: boolean }> = new Map([
  ['service', { isApproved: true }],
  ['reklama', { isApproved: true }],
  ['approved', { isApproved: true }],
  ['active', { isApproved: true }],
  ['inproccess', { isApproved: false }],
  ['rejected', { isApproved: false }],
]);

/** One text that Postgres refuses would lose the whole list. */
const Listed = z.object({
  template: StorableText.max(TEMPLATE_CHARS_MAX).refine((template) => compileTemplate(template) !== null),
  status: StorableText,
});
const Answer = z.object({ result: z.array(z.unknown()) });

/** `GET /user/templates` (recall: contracts §5a), by the session that sends go by: a login of its own might end theirs. */
export function eskizTemplates(session: EskizSession): TemplateReader {
  const agent = keptAlive(LIST_BYTES_MAX);
  const url = session.url('/user/templates');
  return {
    provider: ESKIZ_PROVIDER,
    async read() {
      const signal = AbortSignal.timeout(READ_MS_MAX);
      try {
        const answer = await session.withToken(signal, (authorization) =>
          ask(agent, { method: 'GET', url, headers: { authorization } }, signal),
        );
        return 'kind' in answer ? notRead(answer) : listOf(answer);
      } catch (error) {
        const withoutAnswer = replyWithoutAnswer(error, signal);
        if (withoutAnswer) return notRead(withoutAnswer);
        throw unexpected(ESKIZ_PROVIDER, error);
      }
    },
  };
}

const notRead = (reply: SendReply): ListReading => ({
  ok: false,
  reason: 'reason' in reply ? reply.reason : reply.kind,
});

/** What we don't understand is counted: such a list says of no text that it is not approved. */
function listOf({ status, text }: HttpAnswer): ListReading {
  const answer = status < 300 ? Answer.safeParse(parseJson(text)).data : undefined;
  if (!answer) return { ok: false, reason: `HTTP ${status}` };
  const templates = answer.result.slice(0, TEMPLATES_MAX).flatMap(listedIn);
  return { ok: true, templates, unread: answer.result.length - templates.length };
}

function listedIn(entry: unknown): ListedTemplate[] {
  const listed = Listed.safeParse(entry).data;
  const known = listed && statuses.get(listed.status.toLowerCase());
  return listed && known ? [{ template: listed.template, status: listed.status, ...known }] : [];
}
