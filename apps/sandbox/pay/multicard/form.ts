import type { Answer } from '../../http.ts';
import { html, type Html } from '../../html.ts';
import { nameOf } from './cards.ts';
import type { Binding, Rail } from './rail.ts';

/** A card that this form takes, shown as an example. It is nobody's. */
const EXAMPLE_PAN = '8600 1234 5678 9012';

const page = (status: number, body: Html): Answer => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action *",
  },
  body: html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>Card · sandbox</title>
      <style>
        body {
          font: 1rem system-ui;
          max-width: 22rem;
          margin: 3rem auto;
        }
        label,
        input,
        button {
          display: block;
          width: 100%;
          margin: 0.5rem 0;
          font: inherit;
          box-sizing: border-box;
          padding: 0.4rem;
        }
      </style>
      ${body}
    </html>`.markup,
});

/** What a person types at the rail, and no other: their card's number stays here, and only its ends are kept. */
export function formPage(rail: Rail, { phone }: Binding, fault?: string): Answer {
  const holder = phone === null ? '' : (rail.person(phone)?.holderName ?? nameOf(phone));
  return page(
    fault === undefined ? 200 : 422,
    html`<h1>Multicard of the sandbox</h1>
      <p>No real card belongs here. Any number like ${EXAMPLE_PAN} is taken.</p>
      ${fault !== undefined && html`<p role="alert">${fault}</p>`}
      <form method="post">
        <label
          >Card number <input name="pan" inputmode="numeric" autocomplete="off" value="${EXAMPLE_PAN}"
        /></label>
        <label>Name on the card <input name="holder_name" autocomplete="off" value="${holder}" /></label>
        <button>Bind</button>
      </form>
      <form method="post">
        <input type="hidden" name="decline" value="1" />
        <button>Not now</button>
      </form>`,
  );
}

export const gonePage = (): Answer =>
  page(
    410,
    html`<h1>This form is over</h1>
      <p>Ask for another one where you came from.</p>`,
  );
