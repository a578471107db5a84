/**
 * So many payees of one project are sent their link by SMS in a day of Tashkent: half of the largest list, some 50 USD. Whoever asks for
 * payouts to make us send SMS, or imports the wrong file, costs no more; the rest has its link a day later.
 */
export const LINK_SMS_A_DAY = 5_000;

/** Whether the link of this job may go by SMS today. It is counted once, however often it is tried. */
export type TakeLinkSms = (jobId: string) => Promise<boolean>;
