import { Recipient } from './identity/entities.ts';
import { Attempt, Job } from './job/entities.ts';
import { ApiKey, Project } from './project/entities.ts';
import { Audit, Staff, StaffBrowser, StaffRecoveryCode, StaffSession } from './staff/entities.ts';
import { WebhookEndpoint, WebhookSecret } from './webhook/entities.ts';
import { Migration20261129100100ProjectBaseline } from './project/migrations/20261129100100-project-baseline.ts';
import { Migration20261129194300ProjectKeyMaker } from './project/migrations/20261129194300-project-key-maker.ts';
import { Migration20261129100200JobBaseline } from './job/migrations/20261129100200-job-baseline.ts';
import { Migration20261130171200PayPlansEnd } from './pay/migrations/20261130171200-pay-plans-end.ts';
import { Migration20261130171100PayWhichLine } from './pay/migrations/20261130171100-pay-which-line.ts';
import { Migration20261130171000PayCancelByStaff } from './pay/migrations/20261130171000-pay-cancel-by-staff.ts';
import { Migration20261130162000EarnSupport } from './earn/migrations/20261130162000-earn-support.ts';
import { Migration20261130162100EarnNews } from './earn/migrations/20261130162100-earn-news.ts';
import { Migration20261130162200EarnPromo } from './earn/migrations/20261130162200-earn-promo.ts';
import { Migration20261129100300IdentityBaseline } from './identity/migrations/20261129100300-identity-baseline.ts';
import { Migration20261129150310IdentityPeopleCeiling } from './identity/migrations/20261129150310-identity-people-ceiling.ts';
import { Migration20261129150320IdentityApprovalsKept } from './identity/migrations/20261129150320-identity-approvals-kept.ts';
import { Migration20261129193100IdentityPhoneFound } from './identity/migrations/20261129193100-identity-phone-found.ts';
import { Migration20261129113000IdentityLocales } from './identity/migrations/20261129113000-identity-locales.ts';
import { Migration20261129100400WebhookBaseline } from './webhook/migrations/20261129100400-webhook-baseline.ts';
import { Migration20261129100500StaffBaseline } from './staff/migrations/20261129100500-staff-baseline.ts';
import { Migration20261129150200StaffProofs } from './staff/migrations/20261129150200-staff-proofs.ts';
import { Migration20261129100600VerifyBaseline } from './verify/migrations/20261129100600-verify-baseline.ts';
import { Migration20261129100550TelegramBaseline } from './telegram/migrations/20261129100550-telegram-baseline.ts';
import { Migration20261129121000VerifyProviderBalance } from './verify/migrations/20261129121000-verify-provider-balance.ts';
import { Migration20261129120500JobPlayMobileReference } from './job/migrations/20261129120500-job-play-mobile-reference.ts';
import { Migration20261129113000JobAttemptPrice } from './job/migrations/20261129113000-job-attempt-price.ts';
import { Migration20261129100700MessageBaseline } from './message/migrations/20261129100700-message-baseline.ts';
import { Migration20261129113050JobScored } from './job/migrations/20261129113050-job-scored.ts';
import { Migration20261129113100VerifySignals } from './verify/migrations/20261129113100-verify-signals.ts';
import { Migration20261129123000JobAttemptTrial } from './job/migrations/20261129123000-job-attempt-trial.ts';
import { Migration20261129123100VerifySmsScore } from './verify/migrations/20261129123100-verify-sms-score.ts';
import { Migration20261129131000VerifySmsScoreProject } from './verify/migrations/20261129131000-verify-sms-score-project.ts';
import { Migration20261129131500VerifyTextAnswer } from './verify/migrations/20261129131500-verify-text-answer.ts';
import { Migration20261129120700VerifyModeration } from './verify/migrations/20261129120700-verify-moderation.ts';
import { Migration20261129130100MessagePersonSaid } from './message/migrations/20261129130100-message-person-said.ts';
import { Migration20261129114000MessagePreferences } from './message/migrations/20261129114000-message-preferences.ts';
import { Migration20261129130500JobChosenAfter } from './job/migrations/20261129130500-job-chosen-after.ts';
import { Migration20261129150400PayChain } from './pay/migrations/20261129150400-pay-chain.ts';
import { Migration20261129150300PayLedger } from './pay/migrations/20261129150300-pay-ledger.ts';
import { Migration20261129150000StaffAuditKept } from './staff/migrations/20261129150000-staff-audit-kept.ts';
import { Migration20261129150100StaffSessionVia } from './staff/migrations/20261129150100-staff-session-via.ts';
import { Migration20261129150700WebhookDisabledAudit } from './webhook/migrations/20261129150700-webhook-disabled-audit.ts';
import { Migration20261129150600StaffAuditTime } from './staff/migrations/20261129150600-staff-audit-time.ts';
import { Migration20261129150500PayPeople } from './pay/migrations/20261129150500-pay-people.ts';
import { Migration20261129180000PayPayouts } from './pay/migrations/20261129180000-pay-payouts.ts';
import { Migration20261129180100PayAsking } from './pay/migrations/20261129180100-pay-asking.ts';
import { Migration20261129180200PayBatches } from './pay/migrations/20261129180200-pay-batches.ts';
import { Migration20261129181000PayDispatch } from './pay/migrations/20261129181000-pay-dispatch.ts';
import { Migration20261129181100PayDispatchMoves } from './pay/migrations/20261129181100-pay-dispatch-moves.ts';
import { Migration20261129185000StaffProofFactor } from './staff/migrations/20261129185000-staff-proof-factor.ts';
import { Migration20261129181200PayDispatchPeople } from './pay/migrations/20261129181200-pay-dispatch-people.ts';
import { Migration20261129182000PayLists } from './pay/migrations/20261129182000-pay-lists.ts';
import { Migration20261129183000PayStatements } from './pay/migrations/20261129183000-pay-statements.ts';
import { Migration20261129183100PayBankFiles } from './pay/migrations/20261129183100-pay-bank-files.ts';
import { Migration20261129184000PayDoors } from './pay/migrations/20261129184000-pay-doors.ts';
import { Migration20261129190200StaffProofAge } from './staff/migrations/20261129190200-staff-proof-age.ts';
import { Migration20261129190000PayLinesOfPeople } from './pay/migrations/20261129190000-pay-lines-of-people.ts';
import { Migration20261129190100PayAgreedWithProof } from './pay/migrations/20261129190100-pay-agreed-with-proof.ts';
import { Migration20261129191100PayPhoneMoves } from './pay/migrations/20261129191100-pay-phone-moves.ts';
import { Migration20261129194000PayDue } from './pay/migrations/20261129194000-pay-due.ts';
import { Migration20261129195000PayDispatchWork } from './pay/migrations/20261129195000-pay-dispatch-work.ts';
import { Migration20261129193000PayLinkJobs } from './pay/migrations/20261129193000-pay-link-jobs.ts';
import { Migration20261129194100PaySettleItems } from './pay/migrations/20261129194100-pay-settle-items.ts';
import { Migration20261129194200PayRailOtp } from './pay/migrations/20261129194200-pay-rail-otp.ts';
import { Migration20261129194400PayKeyMakers } from './pay/migrations/20261129194400-pay-key-makers.ts';
import { Migration20261129194500PayLinesOfPayouts } from './pay/migrations/20261129194500-pay-lines-of-payouts.ts';
import { Migration20261129194600PayOnlyOurs } from './pay/migrations/20261129194600-pay-only-ours.ts';
import { Migration20261129200000PayLookUps } from './pay/migrations/20261129200000-pay-look-ups.ts';
import { Migration20261130093000PayDispatchEnds } from './pay/migrations/20261130093000-pay-dispatch-ends.ts';
import { Migration20261130100000PayPeopleWhoCount } from './pay/migrations/20261130100000-pay-people-who-count.ts';
import { Migration20261130101000PaySettledAsAsked } from './pay/migrations/20261130101000-pay-settled-as-asked.ts';
import { Migration20261130102000PayFilesOfPeople } from './pay/migrations/20261130102000-pay-files-of-people.ts';
import { Migration20261130110000PayFormsCounted } from './pay/migrations/20261130110000-pay-forms-counted.ts';
import { Migration20261130110100PayDestinationRoom } from './pay/migrations/20261130110100-pay-destination-room.ts';
import { Migration20261130110200PayLinkSms } from './pay/migrations/20261130110200-pay-link-sms.ts';
import { Migration20261130150000EarnPrices } from './earn/migrations/20261130150000-earn-prices.ts';
import { Migration20261130151000EarnTraffic } from './earn/migrations/20261130151000-earn-traffic.ts';
import { Migration20261130152000EarnDays } from './earn/migrations/20261130152000-earn-days.ts';
import { Migration20261130160000EarnAddresses } from './earn/migrations/20261130160000-earn-addresses.ts';
import { Migration20261130160100EarnAppeals } from './earn/migrations/20261130160100-earn-appeals.ts';
import { Migration20261130160200EarnOldData } from './earn/migrations/20261130160200-earn-old-data.ts';
import { Migration20261130164000EarnLive } from './earn/migrations/20261130164000-earn-live.ts';
import { Migration20261130180000EarnDecided } from './earn/migrations/20261130180000-earn-decided.ts';
import { Migration20261130180300EarnDecideLimit } from './earn/migrations/20261130180300-earn-decide-limit.ts';
import { Migration20261130180200EarnPriceClimb } from './earn/migrations/20261130180200-earn-price-climb.ts';
import { Migration20261130180100EarnOwnPromo } from './earn/migrations/20261130180100-earn-own-promo.ts';
import { Migration20261130165000EarnDebtKeys } from './earn/migrations/20261130165000-earn-debt-keys.ts';
import { Migration20261130161000PayBalances } from './pay/migrations/20261130161000-pay-balances.ts';
import { Migration20261130161100EarnPeople } from './earn/migrations/20261130161100-earn-people.ts';
import { Migration20261130163000EarnGather } from './earn/migrations/20261130163000-earn-gather.ts';
import { Migration20261130163100EarnReport } from './earn/migrations/20261130163100-earn-report.ts';
import { Migration20261130163200EarnCarry } from './earn/migrations/20261130163200-earn-carry.ts';
import { Migration20261130170000PayLookedFor } from './pay/migrations/20261130170000-pay-looked-for.ts';
import { Migration20261130170100PayRailClosed } from './pay/migrations/20261130170100-pay-rail-closed.ts';
import { Migration20261130170200PayStoppedAgain } from './pay/migrations/20261130170200-pay-stopped-again.ts';
import { Migration20261130181100EarnLimits } from './earn/migrations/20261130181100-earn-limits.ts';
import { Migration20261130181000EarnUnmeterable } from './earn/migrations/20261130181000-earn-unmeterable.ts';
import { Migration20261130170300PayOwnMoney } from './pay/migrations/20261130170300-pay-own-money.ts';
import { Migration20261130172000PayStatementUploader } from './pay/migrations/20261130172000-pay-statement-uploader.ts';
import { Migration20261130172100PayStatementLocks } from './pay/migrations/20261130172100-pay-statement-locks.ts';
import { Migration20261130170400EarnOwnCard } from './earn/migrations/20261130170400-earn-own-card.ts';

/**
 * The registry of contexts, in order of dependence.
 *
 * Every migration, as one list in the order of their times. Each is in the folder of the context that owns the tables it makes,
 * named `<utc-time>-<context>-<what>`. One that was applied anywhere is never edited: `test/rules/migrations.test.ts` holds their
 * hashes.
 */
export const migrations = [
  Migration20261129100100ProjectBaseline,
  Migration20261129100200JobBaseline,
  Migration20261129100300IdentityBaseline,
  Migration20261129100400WebhookBaseline,
  Migration20261129100500StaffBaseline,
  Migration20261129100550TelegramBaseline,
  Migration20261129100600VerifyBaseline,
  Migration20261129100700MessageBaseline,
  Migration20261129113000IdentityLocales,
  Migration20261129113000JobAttemptPrice,
  Migration20261129113050JobScored,
  Migration20261129113100VerifySignals,
  Migration20261129114000MessagePreferences,
  Migration20261129120500JobPlayMobileReference,
  Migration20261129120700VerifyModeration,
  Migration20261129121000VerifyProviderBalance,
  Migration20261129123000JobAttemptTrial,
  Migration20261129123100VerifySmsScore,
  Migration20261129130100MessagePersonSaid,
  Migration20261129130500JobChosenAfter,
  Migration20261129131000VerifySmsScoreProject,
  Migration20261129131500VerifyTextAnswer,
  Migration20261129150000StaffAuditKept,
  Migration20261129150100StaffSessionVia,
  Migration20261129150200StaffProofs,
  Migration20261129150300PayLedger,
  Migration20261129150310IdentityPeopleCeiling,
  Migration20261129150320IdentityApprovalsKept,
  Migration20261129150400PayChain,
  Migration20261129150500PayPeople,
  Migration20261129150600StaffAuditTime,
  Migration20261129150700WebhookDisabledAudit,
  Migration20261129180000PayPayouts,
  Migration20261129180100PayAsking,
  Migration20261129180200PayBatches,
  Migration20261129181000PayDispatch,
  Migration20261129181100PayDispatchMoves,
  Migration20261129181200PayDispatchPeople,
  Migration20261129182000PayLists,
  Migration20261129183000PayStatements,
  Migration20261129183100PayBankFiles,
  Migration20261129184000PayDoors,
  Migration20261129185000StaffProofFactor,
  Migration20261129190000PayLinesOfPeople,
  Migration20261129190100PayAgreedWithProof,
  Migration20261129190200StaffProofAge,
  Migration20261129191100PayPhoneMoves,
  Migration20261129193000PayLinkJobs,
  Migration20261129193100IdentityPhoneFound,
  Migration20261129194000PayDue,
  Migration20261129194100PaySettleItems,
  Migration20261129194200PayRailOtp,
  Migration20261129194300ProjectKeyMaker,
  Migration20261129194400PayKeyMakers,
  Migration20261129194500PayLinesOfPayouts,
  Migration20261129194600PayOnlyOurs,
  Migration20261129195000PayDispatchWork,
  Migration20261129200000PayLookUps,
  Migration20261130093000PayDispatchEnds,
  Migration20261130100000PayPeopleWhoCount,
  Migration20261130101000PaySettledAsAsked,
  Migration20261130102000PayFilesOfPeople,
  Migration20261130110000PayFormsCounted,
  Migration20261130110100PayDestinationRoom,
  Migration20261130110200PayLinkSms,
  Migration20261130150000EarnPrices,
  Migration20261130151000EarnTraffic,
  Migration20261130152000EarnDays,
  Migration20261130160000EarnAddresses,
  Migration20261130160100EarnAppeals,
  Migration20261130160200EarnOldData,
  Migration20261130161000PayBalances,
  Migration20261130161100EarnPeople,
  Migration20261130162000EarnSupport,
  Migration20261130162100EarnNews,
  Migration20261130162200EarnPromo,
  Migration20261130163000EarnGather,
  Migration20261130163100EarnReport,
  Migration20261130163200EarnCarry,
  Migration20261130164000EarnLive,
  Migration20261130165000EarnDebtKeys,
  Migration20261130170000PayLookedFor,
  Migration20261130170100PayRailClosed,
  Migration20261130170200PayStoppedAgain,
  Migration20261130170300PayOwnMoney,
  Migration20261130170400EarnOwnCard,
  Migration20261130171000PayCancelByStaff,
  Migration20261130171100PayWhichLine,
  Migration20261130171200PayPlansEnd,
  Migration20261130172000PayStatementUploader,
  Migration20261130172100PayStatementLocks,
  Migration20261130180000EarnDecided,
  Migration20261130180100EarnOwnPromo,
  Migration20261130180200EarnPriceClimb,
  Migration20261130180300EarnDecideLimit,
  Migration20261130181000EarnUnmeterable,
  Migration20261130181100EarnLimits,
] as const;

/**
 * The tables that people read and change through MikroORM, each in the folder of the context that owns it. What locks or batches is
 * plain SQL beside them.
 */
export const entities = [
  Project,
  ApiKey,
  Job,
  Attempt,
  Recipient,
  WebhookEndpoint,
  WebhookSecret,
  Staff,
  StaffSession,
  StaffBrowser,
  StaffRecoveryCode,
  Audit,
];
