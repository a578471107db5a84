/** The look of `/inbox`: a phone's list of messages, in light and dark, on one column or two. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#eef0f4, #0e1014); --pane: light-dark(#fff, #16191f); --line: light-dark(#e3e6ec, #262b34);
  --text: light-dark(#14171c, #eceff4); --soft: light-dark(#667085, #98a2b3); --bubble: light-dark(#f0f2f6, #222731);
  --mine: light-dark(#2f6bff, #3b76ff); --sms: #2e9e5b; --telegram: #2196d3; --telegram-gateway: #7a5af8; --push: #e07a1f; --bad: #d92d20;
}
* { box-sizing: border-box; margin: 0; }
body { background: var(--ground); color: var(--text); font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; height: 100dvh; }
a { color: inherit; text-decoration: none; }
.phone { display: grid; grid-template-columns: minmax(280px, 360px) 1fr; max-width: 1120px; height: 100dvh; margin: 0 auto; background: var(--pane); border-inline: 1px solid var(--line); }
header { display: flex; align-items: center; gap: 12px; min-height: 64px; padding: 12px 20px; border-bottom: 1px solid var(--line); }
h1 { font-size: 22px; letter-spacing: -.02em; }
h2 { font-size: 17px; overflow-wrap: anywhere; }
header .spread { margin-left: auto; color: var(--soft); font-size: 13px; white-space: nowrap; }
.list, .talk { display: flex; flex-direction: column; min-width: 0; min-height: 0; }
.list { border-right: 1px solid var(--line); }
.scroll { flex: 1; overflow-y: auto; overscroll-behavior: contain; }
.row { display: grid; grid-template-columns: 46px 1fr auto; gap: 2px 12px; padding: 12px 20px; border-bottom: 1px solid var(--line); }
.row:hover, .row:focus-visible { background: var(--bubble); outline: none; }
.row[aria-current] { background: color-mix(in srgb, var(--mine) 12%, var(--pane)); }
.face { grid-row: span 2; width: 46px; height: 46px; border-radius: 50%; display: grid; place-items: center; color: #fff; font-weight: 600; font-size: 15px; }
.who { font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.row time { color: var(--soft); font-size: 13px; }
.last { grid-column: 2 / span 2; display: flex; gap: 8px; align-items: center; min-width: 0; color: var(--soft); font-size: 14px; }
.last span:last-child { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.badge { flex: none; padding: 1px 8px; border-radius: 99px; font-size: 11px; font-weight: 600; letter-spacing: .02em; color: #fff; }
.sms { background: var(--sms); } .telegram { background: var(--telegram); } .telegram-gateway { background: var(--telegram-gateway); } .push { background: var(--push); }
.bubbles { display: flex; flex-direction: column; gap: 14px; padding: 20px; }
.day { align-self: center; color: var(--soft); font-size: 12px; }
.message { max-width: min(80%, 560px); align-self: flex-start; }
.message .meta { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; padding: 0 4px 4px; color: var(--soft); font-size: 12px; }
.bubble { padding: 10px 14px; border-radius: 18px 18px 18px 5px; background: var(--bubble); white-space: pre-wrap; overflow-wrap: anywhere; }
.mine { align-self: flex-end; } .mine .bubble { background: var(--mine); color: #fff; border-radius: 18px 18px 5px 18px; }
.lost .bubble { opacity: .55; text-decoration: line-through; } .lost .state { color: var(--bad); }
.gone .bubble { font-style: italic; color: var(--soft); }
.code { font: 600 1.15em/1 ui-monospace, SFMono-Regular, Menlo, monospace; letter-spacing: .08em; border: 0; background: none; color: inherit; padding: 2px 4px; margin: 0 -4px; border-radius: 6px; cursor: copy; }
.code:hover, .code:focus-visible { background: color-mix(in srgb, currentcolor 12%, transparent); outline: none; }
.keys { display: flex; flex-wrap: wrap; gap: 6px; padding-top: 6px; }
.keys button, .say button { border: 1px solid var(--line); background: var(--pane); color: var(--text); border-radius: 12px; padding: 9px 14px; font: inherit; cursor: pointer; }
.say { display: flex; gap: 8px; padding: 12px 20px; border-top: 1px solid var(--line); }
.say input[type=text] { flex: 1; min-width: 0; border: 1px solid var(--line); border-radius: 99px; padding: 9px 16px; font: inherit; color: inherit; background: var(--bubble); }
.say button[value=text] { background: var(--mine); border-color: var(--mine); color: #fff; border-radius: 99px; }
.empty { margin: auto; padding: 32px; max-width: 46ch; text-align: center; color: var(--soft); }
.empty p + p { margin-top: 12px; }
.back { display: none; font-size: 28px; line-height: 1; padding: 4px 10px 8px 0; }
@media (max-width: 760px) {
  .phone { grid-template-columns: 1fr; border: 0; }
  .open .list, .closed .talk { display: none; }
  .list { border: 0; } .back { display: block; } .message { max-width: 88%; }
}
`;

/** Asks every second for what is new and puts it in place, so that a half-typed answer stays; copies a code on a click. */
export const SCRIPT = `
const PAUSE_MS = 1000;
const parts = ['#conversations', '#bubbles', '#count', '#hint'];
const localise = () => {
  for (const time of document.querySelectorAll('time')) {
    const at = new Date(time.dateTime);
    time.textContent = at.toDateString() === new Date().toDateString() || time.dataset.short === undefined
      ? at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
      : at.toLocaleDateString([], { day: 'numeric', month: 'short' });
    time.title = at.toLocaleString();
  }
};
const toEnd = () => { const talk = document.querySelector('#talk-scroll'); if (talk) talk.scrollTop = talk.scrollHeight; };
let etag = document.body.dataset.version;
const refresh = async () => {
  const answer = await fetch(location.href, { headers: { 'if-none-match': etag, 'x-parts': '1' }, cache: 'no-store' });
  if (answer.status !== 200) return;
  etag = answer.headers.get('etag');
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const talk = document.querySelector('#talk-scroll');
  const following = talk && talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
  for (const part of parts) {
    const [old, next] = [document.querySelector(part), fresh.querySelector(part)];
    if (old && next) old.replaceWith(next);
    else if (old || next) return location.reload();
  }
  localise();
  if (following) toEnd();
};
document.addEventListener('click', async ({ target }) => {
  if (!target.matches('.code')) return;
  await navigator.clipboard?.writeText(target.textContent);
  const { textContent } = target;
  target.textContent = 'copied';
  setTimeout(() => { target.textContent = textContent; }, 700);
});
const tick = () => void refresh().catch(() => {}).finally(() => setTimeout(tick, PAUSE_MS));
localise(); toEnd(); setTimeout(tick, PAUSE_MS);
`;
