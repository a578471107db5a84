import { expect, test } from 'vitest';
import { definitionOf } from '../../../domain/job/define-job.ts';
import { jobs } from '../../../domain/jobs.ts';
import { linesOf, settles } from '../../../infra/postgres/settles.ts';

test('what a kind adds to the engine is added to a kind that there is, and a line to one that waits for a scheduler', () => {
  for (const kind of Object.keys(settles)) expect(Object.keys(jobs)).toContain(kind);
  for (const kind of Object.keys(linesOf({ chatGapMs: 1_000 })))
    expect(definitionOf(jobs, kind)?.scheduler, kind).toBeDefined();
});
