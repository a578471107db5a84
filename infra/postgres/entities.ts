import { defineEntity, p } from '@mikro-orm/core';
import type { AttemptOutcome, JobState, EntryLabels } from '../../domain/job/job.ts';
import type { KeyAccess, KeyMode, KeyScope } from '../../domain/project/key.ts';
import type { Locale } from '../../domain/shared/locale.ts';
import { WebhookEndpoint, WebhookSecret } from './webhook/entities.ts';

/** The tables that people read and change through MikroORM. Hot statements are plain SQL beside: intake, lane, checks, sweep. */

const ProjectSchema = defineEntity({
  name: 'Project',
  tableName: 'project',
  properties: {
    id: p.uuid().primary(),
    slug: p.text().unique(),
    /** As given; parsed by `ProjectSettings` at each read, so that a new default reaches old projects. */
    settings: p.json<Record<string, unknown>>(),
    /** The same of `ProjectCeilings`. */
    ceilings: p.json<Record<string, unknown>>(),
    createdAt: p.datetime(),
    archivedAt: p.datetime().nullable(),
  },
});
export class Project extends ProjectSchema.class {}
ProjectSchema.setClass(Project);

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.uuid().primary(),
    project: () => p.manyToOne(Project),
    access: p.text().$type<KeyAccess>(),
    mode: p.text().$type<KeyMode>(),
    hash: p.blob().unique(),
    hint: p.text(),
    name: p.text().nullable(),
    scopes: p.array().$type<KeyScope[]>(),
    allowedOrigins: p.array().$type<string[]>(),
    createdAt: p.datetime(),
    expiresAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
  },
});
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);

const RecipientSchema = defineEntity({
  name: 'Recipient',
  tableName: 'recipient',
  properties: {
    id: p.uuid().primary(),
    project: () => p.manyToOne(Project),
    handle: p.text().nullable(),
    phone: p.text().nullable(),
    addressHash: p.blob(),
    telegramChatId: p.bigint('string').nullable(),
    telegramBlockedAt: p.datetime().nullable(),
    pushTokenSealed: p.blob().nullable(),
    pushTokenHash: p.blob().nullable(),
    locale: p.text().$type<Locale>().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});
export class Recipient extends RecipientSchema.class {}
RecipientSchema.setClass(Recipient);

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

const StaffSchema = defineEntity({
  name: 'Staff',
  tableName: 'staff',
  properties: {
    id: p.uuid().primary(),
    email: p.text().unique(),
    role: p.text(),
    passwordHash: p.text(),
    failedLogins: p.integer(),
    lockedUntil: p.datetime().nullable(),
    disabledAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    totpSealed: p.blob().nullable(),
    totpLastStep: p.bigint('number').nullable(),
    totpBoundAt: p.datetime().nullable(),
    secondFactorFailures: p.integer(),
  },
});
export class Staff extends StaffSchema.class {}
StaffSchema.setClass(Staff);

const StaffSessionSchema = defineEntity({
  name: 'StaffSession',
  tableName: 'staff_session',
  properties: {
    tokenHash: p.blob().primary(),
    staff: () => p.manyToOne(Staff),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    secondFactorAt: p.datetime().nullable(),
    totpOfferSealed: p.blob().nullable(),
  },
});
export class StaffSession extends StaffSessionSchema.class {}
StaffSessionSchema.setClass(StaffSession);

const StaffBrowserSchema = defineEntity({
  name: 'StaffBrowser',
  tableName: 'staff_browser',
  properties: {
    tokenHash: p.blob().primary(),
    staff: () => p.manyToOne(Staff),
    failedLogins: p.integer(),
    lockedUntil: p.datetime().nullable(),
    secondFactorFailures: p.integer(),
    usedAt: p.datetime(),
  },
});
export class StaffBrowser extends StaffBrowserSchema.class {}
StaffBrowserSchema.setClass(StaffBrowser);

const StaffRecoveryCodeSchema = defineEntity({
  name: 'StaffRecoveryCode',
  tableName: 'staff_recovery_code',
  properties: {
    staff: () => p.manyToOne(Staff).primary(),
    codeHash: p.blob().primary(),
    usedAt: p.datetime().nullable(),
  },
});
export class StaffRecoveryCode extends StaffRecoveryCodeSchema.class {}
StaffRecoveryCodeSchema.setClass(StaffRecoveryCode);

const AuditSchema = defineEntity({
  name: 'Audit',
  tableName: 'audit',
  properties: {
    id: p.bigint('string').primary().autoincrement(),
    at: p.datetime(),
    staffId: p.uuid().nullable(),
    actor: p.text(),
    action: p.text(),
    subject: p.text(),
    detail: p.json<Record<string, unknown>>(),
  },
});
class Audit extends AuditSchema.class {}
AuditSchema.setClass(Audit);

export const entities = [
  Project,
  ApiKey,
  Recipient,
  Job,
  Attempt,
  Staff,
  StaffSession,
  StaffBrowser,
  StaffRecoveryCode,
  Audit,
  WebhookEndpoint,
  WebhookSecret,
];
