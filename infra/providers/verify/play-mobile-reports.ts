import { z } from 'zod';
import { providerWords } from '../../../domain/job/provider-words.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import type { ListedReport, ReportListReader } from '../../../domain/verify/callback.ts';
import type { DeliveryReport } from '../../../domain/verify/port.ts';
import { sameText } from '../../process/crypto.ts';
import { reportsToken } from '../../process/reports-address.ts';
import { known } from '../known-word.ts';
import { Reference } from '../reference.ts';
import { PLAY_MOBILE_PROVIDER } from './play-mobile-sms.ts';

/** The broker's words, in lower case. What is missing here says only that it is still at work. */
const statuses: Readonly<Record<string, DeliveryReport['status']>> = {
  transmitted: 'sent',
  sent: 'sent',
  delivered: 'delivered',
  notdelivered: 'failed',
  undelivered: 'failed',
  failed: 'failed',
  rejected: 'failed',
  expired: 'expired',
};

const Report = z.object({ 'message-id': Reference, status: z.string().min(1).max(64) });
/** One report, a list of them, or a list under a name. Each entry is read by itself: one that is odd takes no other with it. */
const Entries = z.union([
  z.object({ messages: z.array(z.unknown()) }).transform(({ messages }) => messages),
  z.array(z.unknown()),
  z.unknown().transform((entry) => [entry]),
]);

/** Delivery reports of Play Mobile (contracts §5a): of many messages at one address, whose token is all that proves them. */
export function playMobileReports({ password }: { readonly password: string }): ReportListReader {
  const token = reportsToken(password);
  return {
    provider: PLAY_MOBILE_PROVIDER,
    isProven: (given) => sameText(given, token),
    read(body, now) {
      const entries = Entries.parse(parseJson(Buffer.from(body).toString('utf8')));
      const read = entries.map((entry) => Report.safeParse(entry));
      const reports = read.flatMap(({ data }) => (data ? readingOf(data, now) : []));
      return { entries: entries.length, reports, unreadable: read.filter(({ success }) => !success).length };
    },
  };
}

/** Its time is left: it names no zone. A report moves no money. */
function readingOf(
  { 'message-id': reference, status: word }: z.infer<typeof Report>,
  at: Date,
): ListedReport[] {
  const status = known(statuses, word.toLowerCase().replaceAll(/[^a-z]/g, ''));
  if (!status) return [];
  const reason = status === 'failed' ? (providerWords(word) ?? null) : null;
  return [{ reference, report: { status, reason, at, refunded: false } }];
}
