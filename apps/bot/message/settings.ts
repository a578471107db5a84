import type { ChatPreferences } from '../../../domain/telegram/chat-preferences.ts';
import type { Locale } from '../../../domain/shared/locale.ts';
import type { BotSettings } from '../conversation.ts';
import { type BotLocale, botLocaleOf } from '../texts.ts';

interface Words {
  readonly choose: string;
  readonly more: (command: string) => string;
  readonly nobody: string;
  readonly stopped: (project: string, category: string) => string;
  readonly change: string;
  readonly help: string;
}

const words: Readonly<Record<BotLocale, Words>> = {
  uz: {
    choose:
      'Kimning xabarlarini sozlaysiz? Bu sozlamalar kodlarni to‘xtatmaydi. Shu botdan hamma narsani, kodlarni ham to‘xtatish: /stop, qaytarish: /start',
    more: (command) => `Yana: ${command}`,
    nobody: 'Hozircha hech kim sizga bu bot orqali xabar yubormaydi.',
    stopped: (project, category) => `🔕 ${project}: «${category}» xabarlari o‘chirildi.`,
    change: 'Sozlash',
    help: '/settings — xabarlar sozlamalari',
  },
  ru: {
    choose:
      'Чьи сообщения настроить? Коды эти настройки не отключают. Остановить всё от этого бота, и коды тоже: /stop, вернуть: /start',
    more: (command) => `Ещё: ${command}`,
    nobody: 'Пока никто не присылает вам сообщений через этого бота.',
    stopped: (project, category) => `🔕 ${project}: сообщения «${category}» отключены.`,
    change: 'Настроить',
    help: '/settings — настройки сообщений',
  },
  en: {
    choose:
      'Whose messages do you want to set? These settings do not stop codes. To stop everything from this bot, codes too: /stop, to get it back: /start',
    more: (command) => `More: ${command}`,
    nobody: 'Nobody sends you messages through this bot yet.',
    stopped: (project, category) => `🔕 ${project}: “${category}” messages are off.`,
    change: 'Change',
    help: '/settings — what you want to be sent',
  },
};

const wordsFor = (locale: Locale): Words => words[botLocaleOf(locale)];

/** A link to the person's page for each project: what is chosen there is more than buttons of a chat can say. */
export const botSettings = (chats: ChatPreferences): BotSettings => ({
  show: async (telegramId, locale, page) => {
    const { projects, more } = await chats.projectsOf(telegramId, page);
    const said = wordsFor(locale);
    if (projects.length === 0) return { text: said.nobody };
    return {
      text: more ? `${said.choose}\n\n${said.more(`/settings_${page + 1}`)}` : said.choose,
      links: projects.map(({ name, url }) => ({ text: name, url })),
    };
  },
  pressed: async (press, now) => {
    const stopped = await chats.stop(press, now);
    if (!stopped) return null;
    const said = wordsFor(stopped.locale);
    return {
      text: said.stopped(stopped.project, stopped.category),
      links: [{ text: said.change, url: stopped.url }],
    };
  },
  help: (locale) => wordsFor(locale).help,
});
