import { defineEntity, p } from '@mikro-orm/core';
import type { AttemptOutcome, JobState, EntryLabels } from '../../../domain/job/job.ts';
import type { KeyMode } from '../../../domain/project/key.ts';
import { Project } from '../project/entities.ts';

const JobSchema = defineEntity({
  name: 'Job',
  tableName: 'job',
  properties: {
    id: p.uuid().primary(),
    kind: p.text(),
    project: () => p.manyToOne(Project),
    subjectId: p.uuid(),
    mode: p.text().$type<KeyMode>(),
    addressHash: p.blob().nullable(),
    state: p.text().$type<JobState>(),
    reason: p.text().nullable(),
    payload: p.json<unknown>(),
    labels: p.json<EntryLabels>(),
    attempts: p.integer(),
    attemptsBefore: p.integer(),
    runAt: p.datetime(),
    deadlineAt: p.datetime(),
    acceptedAt: p.datetime(),
    finishedAt: p.datetime().nullable(),
    failedAs: p.text().$type<JobState>().nullable().generated('by the table'),
    requestId: p.text().nullable(),
  },
});
export class Job extends JobSchema.class {}
JobSchema.setClass(Job);

const AttemptSchema = defineEntity({
  name: 'Attempt',
  tableName: 'attempt',
  properties: {
    job: () => p.manyToOne(Job).primary(),
    n: p.integer().primary(),
    projectId: p.uuid(),
    channel: p.text().nullable(),
    provider: p.text(),
    openedAt: p.datetime(),
    closedAt: p.datetime().nullable(),
    outcome: p.text().$type<AttemptOutcome>().nullable(),
    reason: p.text().nullable(),
    providerReference: p.text().nullable(),
    costMicros: p.bigint('string').nullable(),
    costCurrency: p.text().nullable(),
    parts: p.smallint().nullable(),
    priceMicros: p.bigint('string').nullable(),
    priceCurrency: p.text().nullable(),
    chosen: p.text().nullable(),
    chosenAfter: p.text().nullable(),
    latencyMs: p.integer().nullable(),
    providerMessage: p.text().nullable(),
    retryAfterMs: p.integer().nullable(),
    delivery: p.text().nullable(),
    deliveryReason: p.text().nullable(),
    deliveryAt: p.datetime().nullable(),
    requestId: p.text().nullable(),
  },
});
export class Attempt extends AttemptSchema.class {}
AttemptSchema.setClass(Attempt);
