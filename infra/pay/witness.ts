import { request } from 'undici';

/** A witness keeps a line of text: whoever takes longer is asked again. */
const ANSWER_MS_MAX = 10_000;
const ACCEPTED = { from: 200, to: 299 };

/**
 * Posts a signed head to who keeps it outside.
 *
 * @throws where it was not accepted. A redirect is no acceptance: nobody else was asked to be witness.
 */
export const postToWitness =
  (url: string, waitMsMax = ANSWER_MS_MAX) =>
  async (jws: string): Promise<void> => {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/jose' },
      body: jws,
      signal: AbortSignal.timeout(waitMsMax),
      // One head a day: no connection is kept for the next.
      reset: true,
    });
    // Its status says enough: a long or broken answer counts all the same.
    await answer.body.dump().catch(() => undefined);
    const { statusCode } = answer;
    if (statusCode < ACCEPTED.from || statusCode > ACCEPTED.to)
      throw new Error(`the witness of LEDGER_WITNESS_URL answered ${statusCode}`);
  };
