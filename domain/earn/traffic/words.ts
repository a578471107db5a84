import { type Locale, type MainLocale, mainLocaleOf } from '../../shared/locale.ts';
import type { AddressClass } from '../address/class.ts';
import type { DayState } from './explain.ts';
import type { Flaw } from './flaws.ts';

/** Why bytes of a day are not paid. */
type ReasonCode =
  | Flaw
  | 'counterpart-lower'
  | 'no-counterpart'
  | 'counterpart-differs'
  | 'decided'
  | 'taken-back'
  | `address-${AddressClass}`
  | 'address-data-old';

type Said = Readonly<Record<MainLocale, string>>;

/** For the person. The Uzbek apostrophe is ‘ (U+2018), as in the bot. */
const reasons: Readonly<Record<ReasonCode, Said>> = {
  'outside-session': {
    uz: 'Hisobot seans boshlanishidan oldin yoki tugaganidan keyin o‘lchangan.',
    ru: 'Отчёт измерен до начала сеанса или после его конца.',
    en: 'The report was measured before the session began or after it ended.',
  },
  'clock-ahead': {
    uz: 'Hisobot kelganda telefon soati bir daqiqadan ko‘proq oldinda edi.',
    ru: 'Часы телефона спешили больше чем на минуту, когда пришёл отчёт.',
    en: 'The clock of the phone was more than a minute ahead when the report arrived.',
  },
  'after-close': {
    uz: 'Hisobot kuni yopilgandan keyin keldi: kun boshlanganidan uch kun o‘tib, Toshkent vaqti bilan 00:00 da.',
    ru: 'Отчёт пришёл после закрытия дня: через три дня после его начала, в 00:00 по Ташкенту.',
    en: 'The report arrived after its day was closed: three days after it began, at midnight in Tashkent.',
  },
  'counter-went-back': {
    uz: 'Telefon hisoblagichi avvalgidan kamroq ko‘rsatdi.',
    ru: 'Счётчик телефона показал меньше, чем раньше.',
    en: 'The counter of the phone showed less than before.',
  },
  'too-fast': {
    uz: 'Hisoblagich sekundiga 50 MB dan tezroq o‘sdi.',
    ru: 'Счётчик рос быстрее 50 МБ в секунду.',
    en: 'The counter grew faster than 50 MB a second.',
  },
  conflict: {
    uz: 'Shu raqamli ikkinchi hisobot boshqa qiymatni ko‘rsatdi; birinchisi hisobga olinadi.',
    ru: 'Второй отчёт с тем же номером сообщал другое; засчитан первый.',
    en: 'A second report of the same number said something else; the first one counts.',
  },
  'counterpart-lower': {
    uz: 'Trafikni o‘tkazgan shlyuz kamroq hisobladi; kichik hisob to‘lanadi.',
    ru: 'Шлюз, через который шёл трафик, насчитал меньше; оплачивается меньшее.',
    en: 'The gateway that carried the traffic counted less; the smaller count is paid.',
  },
  'no-counterpart': {
    uz: 'Bu trafikni hech bir shlyuz tasdiqlamadi.',
    ru: 'Ни один шлюз не подтвердил этот трафик.',
    en: 'No gateway has confirmed this traffic.',
  },
  'counterpart-differs': {
    uz: 'Telefon va shlyuz hisoblari juda farq qiladi.',
    ru: 'Счёт телефона и счёт шлюза слишком разошлись.',
    en: 'The counts of the phone and of the gateway differ too much.',
  },
  decided: {
    uz: 'Xodimimiz bu kunni ko‘rib chiqdi va to‘lamaslikka qaror qildi.',
    ru: 'Наш сотрудник посмотрел этот день и решил его не оплачивать.',
    en: 'A member of our staff looked at this day, and it is not paid.',
  },
  'taken-back': {
    uz: 'Bu trafik to‘langan edi; keyin xodimimiz to‘lovni qaytarib oldi.',
    ru: 'Этот трафик был оплачен; затем наш сотрудник отозвал оплату.',
    en: 'This traffic was paid; then a member of our staff took the payment back.',
  },
  'address-residential': {
    uz: 'Trafik uy internetidan keldi; bu loyiha uni to‘lamaydi.',
    ru: 'Трафик шёл с домашнего адреса; этот проект такой не оплачивает.',
    en: 'The traffic came from the address of a home, which this project does not pay.',
  },
  'address-mobile': {
    uz: 'Trafik mobil tarmoqdan keldi; bu loyiha uni to‘lamaydi.',
    ru: 'Трафик шёл из мобильной сети; этот проект такой не оплачивает.',
    en: 'The traffic came from a mobile network, which this project does not pay.',
  },
  'address-hosting': {
    uz: 'Trafik telefondan emas, ma’lumotlar markazining manzilidan keldi.',
    ru: 'Трафик шёл с адреса дата-центра, а не с телефона.',
    en: 'The traffic came from the address of a data centre, not of a phone.',
  },
  'address-vpn-or-proxy': {
    uz: 'Trafik VPN yoki proksi orqali keldi.',
    ru: 'Трафик шёл через VPN или прокси.',
    en: 'The traffic came through a VPN or a proxy.',
  },
  'address-tor': {
    uz: 'Trafik Tor tarmog‘i orqali keldi.',
    ru: 'Трафик шёл через сеть Tor.',
    en: 'The traffic came through Tor.',
  },
  'address-unknown': {
    uz: 'Trafik kelgan manzil haqida hech narsa ma’lum emas.',
    ru: 'Об адресе, с которого шёл трафик, ничего не известно.',
    en: 'Nothing is known of the address that the traffic came from.',
  },
  'address-data-old': {
    uz: 'Manzillar haqidagi ma’lumotlarimiz 30 kundan eski: bu kunni xodimimiz ko‘rib chiqadi.',
    ru: 'Наши данные об адресах старше 30 дней: этот день посмотрит наш сотрудник.',
    en: 'Our data about addresses is more than 30 days old: a member of our staff looks at this day.',
  },
};

const states: Readonly<Record<DayState, Said>> = {
  open: {
    uz: 'Bu kun yopilganda to‘lanadi: boshlanganidan uch kun o‘tib.',
    ru: 'Оплачивается при закрытии дня: через три дня после его начала.',
    en: 'It is paid when its day is closed: three days after it began.',
  },
  paid: { uz: 'To‘langan.', ru: 'Оплачено.', en: 'It is paid.' },
  review: {
    uz: 'Xodimimiz bu kunni ko‘rib chiqadi; qarorgacha u to‘lanmaydi.',
    ru: 'Этот день посмотрит наш сотрудник; до его решения он не оплачивается.',
    en: 'A member of our staff looks at this day; until they decide it is not paid.',
  },
  unpaid: { uz: 'Bu kun to‘lanmaydi.', ru: 'Этот день не оплачивается.', en: 'This day is not paid.' },
  'taken-back': {
    uz: 'Bu kun to‘langan edi; to‘lov qaytarib olindi.',
    ru: 'Этот день был оплачен; оплата отозвана.',
    en: 'This day was paid, and the payment was taken back.',
  },
};

/** Of a code that this version does not know. */
const unknown = (code: string): Said => ({
  uz: `To‘lanmaydi: ${code}.`,
  ru: `Не оплачивается: ${code}.`,
  en: `It is not paid: ${code}.`,
});

const known: Readonly<Record<string, Said | undefined>> = reasons;

/** Why, in one sentence. */
export const reasonSentence = (code: string, locale: Locale): string =>
  (known[code] ?? unknown(code))[mainLocaleOf(locale)];

/** How a day stands, in one sentence. */
export const stateSentence = (state: DayState, locale: Locale): string => states[state][mainLocaleOf(locale)];
