import { z } from 'zod';
import { type DevicePublicKey, SignatureText } from '../device/public-key.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Payment } from '../../shared/payment.ts';
import { onceValid } from '../../shared/refine.ts';

export const ChallengeId = z.uuid().brand<'ChallengeId'>();
export type ChallengeId = z.infer<typeof ChallengeId>;

/** A person may say yes or no, or that it was not they who asked; a yes with a wrong number is none. */
const challengeStates = ['pending', 'approved', 'denied', 'reported', 'mismatched'] as const;
export type ChallengeState = (typeof challengeStates)[number];

/** As it is shown: one that nobody answered in time has expired, and needs no row to say so. */
export const ShownState = z.enum([...challengeStates, 'expired']);
export type ShownState = z.infer<typeof ShownState>;

export const shownState = (state: ChallengeState, expiresAt: Date, now: Date): ShownState =>
  state === 'pending' && expiresAt <= now ? 'expired' : state;

export const Decision = z.enum(['approve', 'deny', 'report']);
export type Decision = z.infer<typeof Decision>;

/** A device that was bound a moment ago may be a thief's; their person has a day to hear of it before it moves money. */
export const MONEY_DEVICE_AGE_SECONDS = 86_400;

/** Body of `POST /me/challenges/{id}/answer`. */
export const ChallengeAnswer = z
  .strictObject({
    decision: Decision.meta({ description: '`report`: it was not the person who asked.' }),
    number: z
      .string()
      .regex(/^\d{2}$/, 'expected two digits')
      .optional()
      .meta({ description: 'With `approve`: what the requester shows. There is one try.', example: '07' }),
    signature: SignatureText,
  })
  .refine(({ decision, number }) => (decision === 'approve') === (number !== undefined), {
    ...onceValid,
    error: 'expected with approve, and with nothing else',
    path: ['number'],
  });
export type ChallengeAnswer = z.infer<typeof ChallengeAnswer>;

/** What the device shows beside who asks and what for. Only what the requester sent, so that nothing is taken for a fact of ours. */
export interface ChallengeContext {
  readonly client: { readonly ip: string | null; readonly user_agent: string | null } | null;
  readonly payment: Payment | null;
}

/** A challenge as the device shows and signs it. */
export interface Challenge {
  readonly id: ChallengeId;
  readonly state: ChallengeState;
  readonly project: { readonly id: ProjectId; readonly name: string };
  /** The person approved for this project before. */
  readonly known: boolean;
  readonly purpose: string;
  readonly context: ChallengeContext;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/**
 * What a device signs, under the line `navbat-approval-v1`: each side builds it from what it has itself. An answer to one challenge
 * or one project is therefore none to another.
 */
export const approvalStatement = (
  { id, project, purpose, context, expiresAt }: Omit<Challenge, 'state' | 'known' | 'createdAt'>,
  decision: Decision,
  number: string | null,
) => ({
  challenge: id,
  project,
  purpose,
  context,
  decision,
  number,
  expires_at: expiresAt.toISOString(),
});

/** Whether this key signed these bytes. */
export type SignatureHolds = (key: DevicePublicKey, statement: object, signature: string) => boolean;
