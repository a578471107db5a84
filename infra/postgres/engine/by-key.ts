/**
 * Conditions on rows that a statement finds by their keys. They are written so that the partial indexes on
 * `finished_at is null` and `outcome is null` do not fit: the planner, which takes a batch for a hundred rows and an
 * unanalysed backlog for a dozen, otherwise joins the batch with all unfinished jobs (measured: opening and
 * closing one attempt took 9.5 ms behind 10 000 of them, more with each, and 1.7 ms so).
 */
export const jobIsUnfinished = `coalesce(j.finished_at, 'infinity') = 'infinity'`;
export const attemptIsOpen = `coalesce(a.outcome, '') = ''`;
