/** 10 s: a trial is two minutes old when it counts. */
const COUNT_EVERY_MS = 10_000;

/** Counts what trials of SMS providers came to; at once again where there were more than one round takes. */
export const smsScoreTick = (count: () => Promise<{ readonly more: boolean }>) => async (): Promise<number> =>
  (await count()).more ? 0 : COUNT_EVERY_MS;
