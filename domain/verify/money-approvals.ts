import type { MoneyApprovals, MoneyApprovalOrder } from '../identity/approval/port.ts';
import type { CodeSender } from '../identity/port.ts';
import type { ProjectId } from '../shared/ids.ts';
import { knownPhone } from '../shared/phone.ts';
import { SERVICE } from './asker.ts';
import type { OtpIntake, SendOrder } from './intake.ts';
import { ownSend, TTL_SECONDS_MAX } from './send-command.ts';

export interface MoneyApprovalDeps {
  readonly intake: OtpIntake;
  /** Undefined where the project has no such recipient. */
  readonly phoneOf: (projectId: ProjectId, recipientId: string) => Promise<string | null | undefined>;
  readonly project: (id: ProjectId) => Promise<Omit<CodeSender, 'projectId'>>;
}

/** Approvals about money, as sends by the one channel on which an amount is signed. */
export function moneyApprovals(deps: MoneyApprovalDeps): MoneyApprovals {
  return {
    async ask(order) {
      const sent = await deps.intake.accept(await orderOf(deps, order));
      switch (sent.kind) {
        case 'accepted':
          return { ok: true, verificationId: sent.id, number: sent.number };
        case 'refused': {
          const { reason, retryAfterSeconds, facts } = sent;
          return { ok: false, reason, retryAfterSeconds, ...(facts && { facts }) };
        }
        case 'closed':
          throw new Error('what is no resend was answered as one');
        case 'key-reused':
          throw new Error('the key of an approval of our own was given another meaning');
      }
    },
  };
}

/** One recipient has one live approval of a purpose: a newer one takes the place of an older, which is answered no more. */
async function orderOf(
  { phoneOf, project }: MoneyApprovalDeps,
  { projectId, recipientId, key, purpose, payment, metadata, client, requestId }: MoneyApprovalOrder,
): Promise<SendOrder> {
  const phone = (await phoneOf(projectId, recipientId)) ?? null;
  return {
    caller: { projectId, ...(await project(projectId)) },
    command: ownSend({
      phone: phone === null ? null : knownPhone(phone),
      mode: 'live',
      channels: ['push'],
      purpose,
      payment,
      metadata: { ...metadata },
      client,
      ttlSeconds: TTL_SECONDS_MAX,
      // The person has just asked for another withdrawal: they need not wait to be asked about it.
      gapsSeconds: [],
    }),
    asker: SERVICE,
    destination: phone === null ? { recipientId } : { phone },
    // The amount and the payee stand in the row that the key names, and never change: what it asks for is known by the key alone.
    idempotency: { key, bodyHash: Buffer.from(key).toString('hex') },
    requestId,
  };
}
