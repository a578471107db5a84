import { z } from 'zod';
import type { ListedTemplate, ListReading, TemplateReader } from '../../../domain/verify/text-moderation.ts';
import { StorableText } from '../../../domain/shared/bad-text.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { ask, type HttpAnswer, keptAlive } from '../http.ts';
import { replyWithoutAnswer, unexpected } from '../replies.ts';
import { ESKIZ_PROVIDER, type EskizAccount, EskizSession } from './eskiz-session.ts';

/** 1 MiB: some thousand texts. */
const LIST_BYTES_MAX = 1_048_576;
const TEMPLATES_MAX = 2_000;
const TEMPLATE_CHARS_MAX = 2_000;
/** 8 s for one reading, with a login where one is needed. */
const READ_MS_MAX = 8_000;

/** The texts of its moderation, each with its word: for codes and bills, or for advertising. */
const approvedStatuses: ReadonlySet<string> = new Set(['service', 'reklama', 'approved', 'active']);

/** One text that Postgres refuses would lose the whole list. */
const Listed = z
  .object({ template: StorableText.max(TEMPLATE_CHARS_MAX), status: StorableText.max(64) })
  .transform(({ template, status }): ListedTemplate => ({
    template,
    status,
    isApproved: approvedStatuses.has(status.toLowerCase()),
  }));
const Answer = z.object({ result: z.array(z.unknown()).max(TEMPLATES_MAX) });

/** `GET /user/templates` (recall: contracts §5a). */
export function eskizTemplates(account: EskizAccount): TemplateReader {
  const agent = keptAlive(LIST_BYTES_MAX);
  const session = new EskizSession(account, agent);
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

/** An entry in another form than we know is left out; a list that is none is not read. */
function listOf({ status, text }: HttpAnswer): ListReading {
  const answer = status < 300 ? Answer.safeParse(parseJson(text)).data : undefined;
  if (!answer) return { ok: false, reason: `HTTP ${status}` };
  const templates = answer.result.flatMap((each) => Listed.safeParse(each).data ?? []);
  return { ok: true, templates };
}
