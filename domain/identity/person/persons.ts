import type { ProjectId } from '../../shared/ids.ts';
import type { Phone } from '../../shared/phone.ts';
import type { KeyMode } from '../../project/key.ts';
import type { RecipientId } from '../recipient/recipient.ts';
import type { PersonId } from './person.ts';

/**
 * The address under which a project met somebody. Of their others it learns nothing: not even that one of its recipients is the
 * same person.
 */
export type ShownAddress = { readonly phone: Phone } | { readonly telegramId: number };

/** People and what they proved. Test keys' people are apart. */
export interface Persons {
  /** Whose phone this is, by a code that was typed from it; a new person where it was nobody's. */
  ofPhone(phone: Phone, mode: KeyMode, now: Date): Promise<PersonId>;
  /** Whose Telegram chat this is, by Telegram's signature or a code typed there; a new person where it was nobody's. */
  ofChat(telegramId: number, mode: KeyMode, now: Date): Promise<PersonId>;
  /**
   * The project's own handle to a person who approved for it, which stays theirs: the one that they have, else the recipient of
   * the address that they showed (where none is named: of any that they proved), else a new one.
   */
  recipientOf(
    personId: PersonId,
    projectId: ProjectId,
    mode: KeyMode,
    now: Date,
    shown?: ShownAddress,
  ): Promise<RecipientId>;
}
