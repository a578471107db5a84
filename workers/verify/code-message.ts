import type { CodeTexts } from '../../domain/shared/code-texts.ts';
import type { Verification } from '../../domain/verify/verification.ts';
import type { Channel } from '../../domain/verify/channel.ts';
import type { OtpJob } from '../../domain/verify/otp-job.ts';
import type { CodeMessage } from '../../domain/verify/port.ts';
import { codeText } from '../../domain/verify/text.ts';
import type { ProjectSettings } from '../../domain/project/settings.ts';

export interface MessageDeps {
  /** Texts of purposes that have their own. */
  readonly purposeTexts: ReadonlyMap<string, CodeTexts>;
  /** Derives the code that this verification's person must type. */
  readonly codeOf: (verification: Verification) => string;
  readonly now: () => Date;
}

interface Worded {
  readonly deps: MessageDeps;
  readonly job: OtpJob;
  readonly project: { readonly slug: string; readonly settings: ProjectSettings };
}

/** What one attempt brings to a person, in their words. */
export function messageOf({ deps, job, project }: Worded, channel: Channel): CodeMessage {
  const { verification } = job;
  const code = deps.codeOf(verification);
  const ttlSeconds = Math.max(
    1,
    Math.floor((verification.expiresAt.getTime() - deps.now().getTime()) / 1_000),
  );
  const name = project.settings.display_name ?? project.slug;
  const words = codeText(
    {
      code,
      project: name,
      purposeTexts: deps.purposeTexts.get(verification.purpose) ?? null,
      payment: verification.payment,
      ttlSeconds,
      locale: verification.locale,
    },
    project.settings,
    channel === 'sms' ? 'sms' : 'screen',
  );
  return {
    jobId: job.id,
    attempt: job.attemptsMade + 1,
    to: job.addresses,
    code,
    ...words,
    locale: verification.locale,
    ttlSeconds,
  };
}
