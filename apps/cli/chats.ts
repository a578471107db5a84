import type { Command } from 'commander';
import { ChatId } from '../../domain/telegram/chat.ts';
import { type CliContext, CliError, type JsonOption, tell, writeAudit } from './context.ts';

export function chatCommands(program: Command, context: CliContext): void {
  const chat = program.command('chat').description('Telegram chats that the bot knows');
  chat
    .command('open <chat_id>')
    .description('opens a closed chat, so that the next message to it is sent; a /stop stays')
    .option('--json')
    .action((chatId: string, options: JsonOption) => openChat(context, chatId, options));
}

/** A group's id is negative, which the shell's dash makes look like an option: `navbat chat open -- -100…`. */
const DIGITS = /^-?[1-9]\d*$/;

async function openChat(context: CliContext, chatId: string, options: JsonOption): Promise<void> {
  const known = ChatId.safeParse(DIGITS.test(chatId) ? Number(chatId) : null);
  if (!known.success) {
    const [issue] = known.error.issues;
    throw new CliError(`chat_id: ${issue?.message}. A negative one goes after --.`);
  }
  await context.withPorts(async (ports) => {
    await ports.changeChat(async (changing) => {
      const opening = await changing.open(chatId, context.now());
      if (opening === 'opted-out')
        throw new CliError('Its person sent /stop: only their /start opens this chat.');
      if (opening === 'not-closed') throw new CliError(`The chat ${chatId} is not closed.`);
      await writeAudit(context, changing, 'chat.open', chatId);
    });
    tell(context, options, { lines: [`opened  ${chatId}`], json: { chat_id: chatId, opened: true } });
  });
}
