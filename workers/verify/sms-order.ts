import type { ProjectId } from '../../domain/shared/ids.ts';
import type { SmsChoice } from '../../domain/verify/sms-provider.ts';
import { drawOf, orderRoute, type Scores } from '../../domain/verify/sms-choice.ts';
import { operatorOf, type RoutedProvider, routeOf, type SmsRouting } from '../../domain/verify/sms-routes.ts';
import type { OtpJob } from '../../domain/verify/otp-job.ts';
import { type Leg, legOf } from '../../domain/verify/step.ts';
import type { ProjectSettings } from '../../domain/project/settings.ts';

export interface SmsOrderDeps {
  /** Which providers carry an SMS, and what each asks. */
  readonly sms: SmsRouting;
  /** What is known of them for an operator's numbers; null where measuring is off. */
  readonly smsScores: { readonly of: (projectId: ProjectId, operator: string) => Promise<Scores> } | null;
  readonly now: () => Date;
}

/** One provider of the SMS, and why it stands where it does. */
export interface OrderedProvider extends RoutedProvider {
  readonly chosen: SmsChoice;
}

/** The providers that may carry this SMS, in the order in which they are tried; none where there is no number. */
export async function smsRouteOf(
  { sms, smsScores, now }: SmsOrderDeps,
  job: OtpJob,
  settings: ProjectSettings,
): Promise<readonly OrderedProvider[]> {
  const { phone } = job.addresses;
  if (phone === null || !job.verification.channels.includes('sms')) return [];
  const measured = settings.sms_route_by_measure ? smsScores : null;
  return orderRoute({
    route: routeOf(phone, sms, settings.sms_routes),
    scores: await measured?.of(job.projectId, operatorOf(phone, sms.routes)),
    usedBefore: job.smsUsedBefore,
    measures: measured !== null,
    draw: drawOf(job.id),
    now: now(),
  });
}

/** The one of an earlier try by the same provider; what comes after another one is a failover. */
export function choiceOf(leg: Leg, job: OtpJob, route: readonly OrderedProvider[]): SmsChoice | undefined {
  const index = route.findIndex(({ provider }) => provider === leg);
  if (index < 0) return undefined;
  const earlier = job.past.find((attempt) => legOf(attempt) === leg);
  if (earlier) return earlier.chosen;
  const isFirst = index === 0 && job.past.every(({ channel }) => channel !== 'sms');
  return isFirst ? route[index]?.chosen : 'failover';
}
