import { defineEntity, p } from '@mikro-orm/core';
import type { Locale } from '../../../domain/shared/locale.ts';
import { Project } from '../project/entities.ts';

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
    pushTokenEncrypted: p.blob().nullable(),
    pushTokenHash: p.blob().nullable(),
    locale: p.text().$type<Locale>().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});
export class Recipient extends RecipientSchema.class {}
RecipientSchema.setClass(Recipient);
