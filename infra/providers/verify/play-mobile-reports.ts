import { z } from 'zod';
import { parseJson } from '../../../domain/shared/json.ts';
import type { ListedReport, ReportListReader } from '../../../domain/verify/callback.ts';
import type { DeliveryReport } from '../../../domain/verify/port.ts';
import { sameText } from '../../process/crypto.ts';
import { reportsToken } from '../../process/reports-address.ts';
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

const Report = z.object({
  'message-id': z.union([z.string().min(1).max(128), z.int()]).transform(String),
  status: z.string().min(1).max(64),
});
/** One report, a list of them, or a list under a name. */
const Reports = z.union([
  z.object({ messages: z.array(Report) }).transform(({ messages }) => messages),
  z.array(Report),
  Report.transform((report) => [report]),
]);

/** Delivery reports of Play Mobile (contracts §5a): of many messages at one address, whose token is all that proves them. */
export function playMobileReports({ password }: { readonly password: string }): ReportListReader {
  const token = reportsToken(password);
  return {
    provider: PLAY_MOBILE_PROVIDER,
    isProven: (given) => sameText(given, token),
    read(body, now) {
      const reports = Reports.safeParse(parseJson(Buffer.from(body).toString('utf8'))).data;
      return reports ? reports.flatMap((report) => readingOf(report, now)) : null;
    },
  };
}

/** Its time is left: it names no zone. A report moves no money. */
function readingOf(
  { 'message-id': reference, status: word }: z.infer<typeof Report>,
  at: Date,
): ListedReport[] {
  const status = statuses[word.toLowerCase().replaceAll(/[^a-z]/g, '')];
  if (!status) return [];
  const reason = status === 'failed' ? word : null;
  return [{ reference, report: { status, reason, at, refunded: false } }];
}
