import type { Checks } from '../../domain/verify/checks.ts';
import type { FailedAttemptLimiter } from '../../domain/shared/failed-attempt-limiter.ts';
import type { OtpIntake } from '../../domain/verify/intake.ts';
import { failedAttemptLimiter } from '../limits/failed-attempt-limiter.ts';
import { otpChecks } from '../postgres/verify/checks.ts';
import { otpIntake } from '../postgres/verify/intake.ts';
import type { Config } from '../process/config.ts';
import type { Platform } from '../process/platform.ts';
import { configuredChannels } from '../providers/verify/channels.ts';
import { smsRoutingOf } from '../providers/verify/sms-routing.ts';
import { queueOutbox } from '../queue/outbox.ts';
import { type CodeOf, codeOf, type NumberOf, numberOf } from './codes.ts';

export interface OpenCodes {
  readonly intake: OtpIntake;
  readonly checks: Checks;
  readonly failures: FailedAttemptLimiter;
  readonly codeOf: CodeOf;
  readonly numberOf: NumberOf;
  readonly close: () => Promise<void>;
}

/** One-time codes, for every process that takes requests for them: the intake with its outbox, and the checks under their limits. */
export function openCodes(
  platform: Platform<Pick<Config, 'CODE_KEYS' | 'given' | 'SMS_ROUTES' | 'SMS_UZS_PER_USD'>>,
): OpenCodes {
  const { config, pools, clock, hash, encryption, redis, queues } = platform;
  const outbox = queueOutbox(queues, clock);
  const failures = failedAttemptLimiter(redis);
  const derive = { codeOf: codeOf(config.CODE_KEYS), numberOf: numberOf(config.CODE_KEYS) };
  const shared = { pool: pools.hot, hash, codeKid: config.CODE_KEYS.current, now: clock };
  return {
    intake: otpIntake({
      ...shared,
      numberOf: derive.numberOf,
      providers: configuredChannels(config),
      sms: smsRoutingOf(config),
      outbox,
    }),
    checks: otpChecks({ ...shared, encryption, codeOf: derive.codeOf }),
    failures,
    ...derive,
    close: async () => {
      failures.close();
      await outbox.idle();
    },
  };
}
