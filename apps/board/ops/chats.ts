import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { may } from '../../../domain/staff/role-actions.ts';
import { ChatId, type UnreachableChat } from '../../../domain/telegram/chat.ts';
import { sendJson } from '../../http/answer.ts';
import { Problem } from '../../http/problem.ts';
import { answer, read, Text, wantsJson } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { formToken, page } from '../layout.ts';
import { type BoardSession, sessionOf } from '../session.ts';
import { link } from './filter.ts';
import { column, panel, reason, table, when } from './components.ts';
import { type OpsParts, PAGE_LINES } from './parts.ts';

/** Telegram chats that are closed, and their opening: what `navbat chat open` does. */
export function chatRoutes(parts: OpsParts): Router {
  return Router()
    .get('/', async (req, res) => {
      const chats = await parts.chats.unreachable(PAGE_LINES);
      answer(req, res, { data: chats, nextCursor: null }, () =>
        chatsPage(sessionOf(res), chats, req.query['notice']),
      );
    })
    .post('/:chatId/open', (req, res) => open(parts, req, res));
}

const OpenForm = z.object({ why: Text.min(1, 'expected a reason, which the audit keeps') });
const noChat = () =>
  new Problem(
    404,
    'not-found',
    'No chat of this id is closed by Telegram. One with a /stop is opened by its person alone.',
  );

async function open({ commands, clock }: OpsParts, req: Request, res: Response): Promise<void> {
  const given = String(req.params['chatId']);
  if (!/^-?\d+$/.test(given) || !ChatId.safeParse(Number(given)).success) throw noChat();
  const { why } = read(OpenForm, req.body);
  const opening = await commands.openChat(given, sessionOf(res).staff, why, clock());
  if (opening !== 'opened') throw noChat();
  if (wantsJson(req)) sendJson(res, 200, { chat_id: given, opened: true });
  else res.redirect(303, link('/ops/chats', { notice: 'chatOpened' }));
}

function chatsPage(session: BoardSession, chats: readonly UnreachableChat[], notice: unknown): Html {
  return page({
    title: 'Chats',
    tab: '/ops/chats',
    session,
    notice,
    body: html`<div class="head"><h1>Closed chats</h1></div>
      ${panel('Closed by what Telegram said', `the ${PAGE_LINES} newest; each is tried again after a week`, chatTable(session, chats))}`,
  });
}

const chatTable = (session: BoardSession, chats: readonly UnreachableChat[]): Html =>
  table(
    [column('Chat'), column('Why'), column('Since'), column('')],
    chats.map(
      (chat) =>
        html`<tr>
          <td class="mono">${chat.chatId}</td>
          <td>${reason(chat.reason)}</td>
          <td class="tight">${when(chat.since)}</td>
          <td>${may(session.staff.role, 'chat.open') && openForm(session, chat)}</td>
        </tr>`,
    ),
    'Telegram has closed no chat.',
  );

const openForm = (session: BoardSession, { chatId }: UnreachableChat): Html =>
  html`<form class="row" method="post" action="/ops/chats/${chatId}/open">
    ${formToken(session)}
    <label>Why<input name="why" required maxlength="200" autocomplete="off" /></label>
    <button>Open</button>
  </form>`;
