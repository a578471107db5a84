import { Router } from 'express';
import helmet from 'helmet';
import { isReason, reasonsByContext } from '../../domain/reasons.ts';
import type { ReasonPlace, RetryHelp } from '../../domain/shared/reason.ts';
import type { Reason } from '../../domain/shared/reason.ts';
import { PROBLEM_TYPE_PREFIX, sendJson, sendText } from './answer.ts';
import { Problem } from './problem.ts';

/** Its style stands in the page; it has no script. */
const pagePolicy = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'unsafe-inline'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

/** The catalogue of `domain/reasons.ts` as a page, with an anchor for each code, and as JSON. */
export function problemPages(): Router {
  const page = cataloguePage();
  return Router()
    .get('/docs/problems', pagePolicy, (_req, res) => sendText(res, 'text/html; charset=utf-8', page))
    .get('/docs/problems.json', (_req, res) => sendJson(res, 200, { data: catalogue() }))
    .get('/docs/problems/:type', (req, res) => {
      const code = req.params.type.replace(PROBLEM_TYPE_PREFIX, '');
      if (!isReason(code))
        throw new Problem(404, 'not-found', 'This version has no such code. /docs/problems lists all.');
      res.redirect(303, `/docs/problems#${code}`);
    });
}

const entries = (of: Readonly<Record<string, Reason>>) =>
  Object.entries(of).toSorted(([one], [other]) => (one < other ? -1 : 1));

function catalogue() {
  return Object.entries(reasonsByContext).flatMap(([context, of]) =>
    entries(of).map(([code, { meaning, retry, nextStep, setting, seen }]) => ({
      code,
      context,
      meaning,
      retry,
      next_step: nextStep,
      setting: setting ?? null,
      seen_in: seen,
    })),
  );
}

const retryWords: Readonly<Record<RetryHelp, string>> = {
  no: 'A retry does not help.',
  later: 'A retry can help later.',
  'after-change': 'A retry can help after something was changed.',
};

const placeWords: Readonly<Record<ReasonPlace, string>> = {
  problem: 'problem type',
  'problem-reason': '`reason` of a problem',
  job: 'reason of a job',
  attempt: 'reason of an attempt',
  delivery: 'reason of a webhook delivery',
  endpoint: 'disabled_reason of an endpoint',
  chat: 'why a chat is closed',
};

/** The texts are ours, and may still hold a sign of HTML's. */
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const coded = (text: string) => escaped(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

function section([context, of]: readonly [string, Readonly<Record<string, Reason>>]): string {
  const items = entries(of).map(
    ([code, { meaning, retry, nextStep, setting, seen }]) => `<article id="${code}">
<h3><a href="#${code}"><code>${code}</code></a></h3>
<p>${coded(meaning)}</p>
<dl>
<dt>Retry</dt><dd>${retryWords[retry]}</dd>
<dt>Next step</dt><dd>${coded(nextStep)}</dd>
${setting === undefined ? '' : `<dt>Setting</dt><dd><code>${escaped(setting)}</code></dd>`}
<dt>Seen as</dt><dd>${seen.map((place) => coded(placeWords[place])).join(', ')}</dd>
</dl>
</article>`,
  );
  return `<section>\n<h2>${escaped(context)}</h2>\n${items.join('\n')}\n</section>`;
}

const STYLE = `:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
article { border-top: 1px solid #8884; padding: 0.5rem 0 }
article:target { background: #ffd54f33 }
h3 { margin: 0.25rem 0 }
p { margin: 0.25rem 0 }
dl { display: grid; grid-template-columns: 7rem 1fr; gap: 0 1rem; margin: 0.25rem 0 }
dt { opacity: 0.7 }
dd { margin: 0 }`;

function cataloguePage(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Problems and reasons · Navbat</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Problems and reasons</h1>
<p>Every code that an answer, a job, an attempt, a webhook delivery or a chat can carry: what it means, whether a retry
can help, and what to do next. The type of a problem is <code>${PROBLEM_TYPE_PREFIX}</code> and one of these codes.
The same as JSON: <a href="/docs/problems.json">/docs/problems.json</a>.</p>
${Object.entries(reasonsByContext).map(section).join('\n')}
</body>
</html>
`;
}
