import { defineEntity, p } from '@mikro-orm/core';
import type { KeyAccess, KeyMode, KeyScope } from '../../../domain/project/key.ts';

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
    createdBy: p.uuid().nullable(),
    createdAt: p.datetime(),
    expiresAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
  },
});
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
