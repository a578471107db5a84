/** Of the batch `b`, as `payout_batch_refuse_cancelled` asks. */
export const restCancelled = `exists (select from payout_action a where a.batch_id = b.id and a.action = 'cancel-rest')`;
