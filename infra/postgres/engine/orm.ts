import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { entities } from '../entities.ts';
import { Migration0001Spine } from '../migrations/migration-0001-spine.ts';
import { Migration0002Messages } from '../migrations/migration-0002-messages.ts';
import { Migration0003Webhooks } from '../migrations/migration-0003-webhooks.ts';
import { Migration0004Registration } from '../migrations/migration-0004-registration.ts';
import { Migration0005Persons } from '../migrations/migration-0005-persons.ts';
import { Migration0006StaffSecondFactor } from '../migrations/migration-0006-staff-second-factor.ts';
import { Migration0010KeyOrigins } from '../migrations/migration-0010-key-origins.ts';
import { Migration0011EventTimes } from '../migrations/migration-0011-event-times.ts';
import { Migration0012EventMembers } from '../migrations/migration-0012-event-members.ts';
import { Migration0013StaffBrowsers } from '../migrations/migration-0013-staff-browsers.ts';
import { Migration0016Askers } from '../migrations/migration-0016-askers.ts';
import { Migration0017StrangerSpend } from '../migrations/migration-0017-stranger-spend.ts';
import { Migration0018Reservations } from '../migrations/migration-0018-reservations.ts';
import { Migration0020Recipients } from '../migrations/migration-0020-recipients.ts';
import { Migration0023Ceilings } from '../migrations/migration-0023-ceilings.ts';
import { Migration0024KeyNames } from '../migrations/migration-0024-key-names.ts';
import { Migration0025ProjectNames } from '../migrations/migration-0025-project-names.ts';
import { Migration0026TestEvents } from '../migrations/migration-0026-test-events.ts';
import { Migration0027BroadcastCounts } from '../migrations/migration-0027-broadcast-counts.ts';
import { Migration0028Priorities } from '../migrations/migration-0028-priorities.ts';
import { Migration0029RecipientsNamed } from '../migrations/migration-0029-recipients-named.ts';
import { Migration0030ProviderWords } from '../migrations/migration-0030-provider-words.ts';
import { Migration0031TelegramChats } from '../migrations/migration-0031-telegram-chats.ts';
import { Migration0033StaffSight } from '../migrations/migration-0033-staff-sight.ts';
import { Migration0037BlockedReasons } from '../migrations/migration-0037-blocked-reasons.ts';
import { Migration0045NumberLocks } from '../migrations/migration-0045-number-locks.ts';
import { Migration0044WiderNames } from '../migrations/migration-0044-wider-names.ts';
import { Migration0043KnownAskers } from '../migrations/migration-0043-known-askers.ts';

/** Connections that MikroORM may hold in one process: everyday reads and writes only, hot statements have their own pool. */
const ORM_CONNECTIONS_MAX = 5;

/** In order of their numbers. */
const migrationsList = [
  Migration0001Spine,
  Migration0002Messages,
  Migration0003Webhooks,
  Migration0004Registration,
  Migration0005Persons,
  Migration0006StaffSecondFactor,
  Migration0010KeyOrigins,
  Migration0011EventTimes,
  Migration0012EventMembers,
  Migration0013StaffBrowsers,
  Migration0016Askers,
  Migration0017StrangerSpend,
  Migration0018Reservations,
  Migration0020Recipients,
  Migration0023Ceilings,
  Migration0024KeyNames,
  Migration0025ProjectNames,
  Migration0026TestEvents,
  Migration0027BroadcastCounts,
  Migration0028Priorities,
  Migration0029RecipientsNamed,
  Migration0030ProviderWords,
  Migration0031TelegramChats,
  Migration0033StaffSight,
  Migration0037BlockedReasons,
  Migration0043KnownAskers,
  Migration0044WiderNames,
  Migration0045NumberLocks,
];

export function openOrm(databaseUrl: string): Promise<MikroORM> {
  return MikroORM.init({
    clientUrl: databaseUrl,
    entities,
    extensions: [Migrator],
    pool: { min: 0, max: ORM_CONNECTIONS_MAX },
    migrations: {
      migrationsList,
      snapshot: false,
      transactional: true,
      silent: true,
    },
    forceUtcTimezone: true,
    discovery: { warnWhenNoEntities: false },
  });
}
