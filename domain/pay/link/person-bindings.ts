import type { Phone } from '../../shared/phone.ts';
import type { PayoutLinks } from './port.ts';

/** Forms of the rail on which people type cards of their own. */
export interface PersonBindings extends Pick<PayoutLinks, 'binding' | 'bind'> {
  /** Which they proved last; null where none is theirs. */
  readonly phoneOf: (personId: string) => Promise<Phone | null>;
  /** Counts a form, before the rail is asked to open it. */
  readonly begin: (of: {
    readonly personId: string;
    readonly phone: Phone;
    readonly bindingId: string;
  }) => Promise<'begun' | 'too-many'>;
  /** The rail has opened the form. */
  readonly opened: (bindingId: string, session: string) => Promise<void>;
  /** The form that they opened last within an hour, while nobody knows how it ended. */
  readonly open: (personId: string, now: Date) => Promise<string | null>;
}

/** What the rail calls us about is one of either: a payee's by their link, or a person's own. */
export const eitherBinding = <Links extends Pick<PayoutLinks, 'binding' | 'bind'>>(
  links: Links,
  people: Pick<PersonBindings, 'binding' | 'bind'>,
): Links => ({
  ...links,
  binding: async (id: string) => (await links.binding(id)) ?? people.binding(id),
  bind: async (...of: Parameters<PayoutLinks['bind']>) =>
    (await links.binding(of[0])) ? links.bind(...of) : people.bind(...of),
});
