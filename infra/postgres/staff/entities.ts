import { defineEntity, p } from '@mikro-orm/core';

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
    totpEncrypted: p.blob().nullable(),
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
    id: p.uuid(),
    via: p.text(),
    staff: () => p.manyToOne(Staff),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    secondFactorAt: p.datetime().nullable(),
    totpOfferEncrypted: p.blob().nullable(),
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
export class Audit extends AuditSchema.class {}
AuditSchema.setClass(Audit);
