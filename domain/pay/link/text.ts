import { uzsOfTiyin } from '../list/limits.ts';

export interface LinkText {
  readonly payer: string;
  readonly amount: bigint;
  readonly purpose: string | null;
  readonly url: string;
  readonly isReminder: boolean;
}

/** What a payee is sent, in Uzbek and Russian: nobody knows which of the two they read. */
export function linkText({ payer, amount, purpose, url, isReminder }: LinkText): string {
  const sum = uzsOfTiyin(amount)
    .replace(/\.00$/, '')
    .replaceAll(/\B(?=(?:\d{3})+(?:\.|$))/g, ' ');
  const why = purpose === null ? '' : ` (${purpose})`;
  const [uz, ru] = isReminder ? ['Eslatma: ', 'Напоминание: '] : ['', ''];
  return `${uz}${payer} sizga ${sum} so‘m to‘laydi${why}. Kartangizni bog‘lang:\n${ru}${payer} выплачивает вам ${sum} сум${why}. Привяжите карту:\n${url}`;
}
