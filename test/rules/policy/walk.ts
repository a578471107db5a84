import type { Rule } from '../../../domain/staff/access/route-rules.ts';
import { askSocket } from './ask-socket.ts';
import { type Answer, ask } from './ask.ts';
import { type Ask, type Fixture, noId } from './fixture.ts';
import { type Role, type Verdict, verdict } from './roles.ts';
import { type App, newAddress, type Owner, type World } from './world.ts';

/** `nobody` is for a route that no role may use. */
export type AnyRule = Rule | { readonly by: 'nobody' };

export interface Walk {
  readonly world: World;
  readonly app: App;
  readonly url: string;
  readonly roles: readonly Role[];
  readonly other: Owner;
  /** By `METHOD /path`. */
  readonly rules: Readonly<Record<string, AnyRule>>;
  readonly fixtures: Readonly<Record<string, Fixture>>;
}

/** Routes that are asked at once: two processes answer on two cores. */
const ROUTES_AT_ONCE = 6;

/**
 * Asks every route as every role for its own, for another's and for nothing.
 *
 * @returns what was answered otherwise than the rules say, a line each; nothing where the policy holds.
 */
export async function walk(how: Walk): Promise<string[]> {
  const faults: string[] = [];
  const waiting = Object.entries(how.rules);
  const worker = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop())
      faults.push(...(await walkRoute(how, ...next)));
  };
  await Promise.all(Array.from({ length: ROUTES_AT_ONCE }, worker));
  return faults.toSorted();
}

async function walkRoute(how: Walk, route: string, rule: AnyRule): Promise<string[]> {
  const fixture = how.fixtures[route];
  if (!fixture) return [`${route} has no fixture: nobody has asked it`];
  const faults: string[] = [];
  const shown: Shown = new Map();
  for (const role of how.roles.filter(
    ({ isBoards }) => how.app === 'board' || rule.by === 'staff' || !isBoards,
  )) {
    const expected = verdict(rule, role.who, { app: how.app, route });
    const visit = { how, route, fixture, role, shown };
    const found =
      expected === 'admitted' ? await seeAdmitted(visit, rule) : await seeRefused(visit, expected);
    faults.push(...found.map((fault) => `${route} as ${role.name}: ${fault}`));
  }
  return faults;
}

/** What was made for those who are refused, by its owner: it outlives a refusal. */
type Shown = Map<string, string>;

interface Visit {
  readonly shown: Shown;
  readonly how: Walk;
  readonly route: string;
  readonly fixture: Fixture;
  readonly role: Role;
}

/** Belongs to somebody: a project, a person, or the member of staff whose session asks. Staff look after everybody's else, and an open route asks for no owner. */
const isOwned = (rule: AnyRule) => rule.by === 'key' || rule.by === 'person' || rule.by === 'session';

async function seeAdmitted(visit: Visit, rule: AnyRule): Promise<string[]> {
  const { fixture, role, how } = visit;
  const { make, lists = false, unproven } = fixture;
  const faults: string[] = [];
  const own = (await make?.(how.world, role.owner)) ?? noId();
  const others =
    make && isOwned(rule) ? await Promise.all(othersOf(visit).map((owner) => make(how.world, owner))) : [];
  const answer = await send(visit, own);
  if (!isExpected(answer, fixture)) faults.push(`its own answered ${answer.status} ${answer.text}`);
  if (lists && !answer.text.includes(own)) faults.push('its own is not in the list');
  for (const id of lists ? others : []) if (answer.text.includes(id)) faults.push("another's is in the list");
  if (unproven) faults.push(...(await seeUnproven(visit, unproven)));
  if (make && !lists) faults.push(...(await seeLacking(visit, others)));
  return faults;
}

const isExpected = ({ status, text }: Answer, { answers, says = '' }: Fixture) =>
  (answers ? answers.includes(status) : status >= 200 && status < 400) && text.includes(says);

/** Whatever the role's is not: another project's and person's; for a test key, what live keys made too. */
function othersOf({ how: { other }, role: { who, owner }, fixture }: Visit): Owner[] {
  const another = { ...other, mode: owner.mode };
  if (who.by === 'person')
    return [
      another,
      // Another person at the same project; and at another project the same person, whom only Navbat's own app sees there.
      { ...another, projectId: owner.projectId },
      ...(who.session === 'project' ? [{ ...owner, projectId: other.projectId }] : []),
    ];
  return owner.mode === 'test' && !fixture.isShared ? [another, { ...owner, mode: 'live' }] : [another];
}

/** What is another's, and what is not there, are one answer. */
async function seeLacking(visit: Visit, others: readonly string[]): Promise<string[]> {
  const { lacks = 404, nothing = noId } = visit.fixture;
  const none = nothing();
  const expected = await send(visit, none);
  const faults = expected.status === lacks ? [] : [`nothing answered ${expected.status}`];
  for (const id of others) {
    const answer = await send(visit, id);
    if (plain(answer, id) !== plain(expected, none))
      faults.push(`another's answered ${plain(answer, id)}, and nothing ${plain(expected, none)}`);
  }
  return faults;
}

/** A refusal says nothing of what was asked for. */
async function seeRefused(visit: Visit, expected: Exclude<Verdict, 'admitted'>): Promise<string[]> {
  const { how, role, fixture } = visit;
  const { make, nothing = noId } = fixture;
  const faults: string[] = [];
  const none = nothing();
  const lacking = await send(visit, none);
  if (lacking.status !== expected)
    faults.push(`answered ${lacking.status} and not ${expected} ${lacking.text}`);
  for (const owner of make ? [role.owner, how.other] : []) {
    const id = await showOnce(visit, owner);
    const answer = await send(visit, id);
    if (plain(answer, id) !== plain(lacking, none))
      faults.push(
        `refused otherwise where it exists: ${plain(answer, id)}, and nothing ${plain(lacking, none)}`,
      );
  }
  return faults;
}

async function showOnce({ how, fixture, shown }: Visit, owner: Owner): Promise<string> {
  const key = JSON.stringify(owner);
  const id = shown.get(key) ?? (await fixture.make?.(how.world, owner)) ?? '';
  shown.set(key, id);
  return id;
}

async function seeUnproven(visit: Visit, unproven: NonNullable<Fixture['unproven']>): Promise<string[]> {
  const { how, role, fixture } = visit;
  const id = (await fixture.make?.(how.world, role.owner)) ?? noId();
  const none = fixture.nothing?.() ?? noId();
  const without = { ...visit, fixture: { ...fixture, ask: unproven.ask } };
  const [answer, lacking] = [await send(without, id), await send(without, none)];
  const faults = answer.status === unproven.answers ? [] : [`without its proof it answered ${answer.status}`];
  if (plain(answer, id) !== plain(lacking, none))
    faults.push(`without its proof ${plain(answer, id)}, and for nothing ${plain(lacking, none)}`);
  return faults;
}

/** How one route is asked as one role. */
export interface Asking extends Pick<Visit, 'route' | 'fixture' | 'role'> {
  readonly how: Pick<Walk, 'world' | 'url'>;
}

/** @param method in place of the route's own. */
export async function send(
  { how, route, fixture, role }: Asking,
  id: string,
  method = route.split(' ', 1)[0] ?? '',
): Promise<Answer> {
  const { world, url } = how;
  const asking: Ask = await fixture.ask(id, world, role.owner);
  const headers = {
    Accept: 'application/json',
    // What a page of the board's own says; apps and services say nothing.
    ...(url === world.urls.board ? { Origin: url } : {}),
    ...(asking.isNear ? {} : { 'X-Forwarded-For': newAddress() }),
    ...(asking.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(await role.enter()),
    ...asking.headers,
  };
  if (fixture.isSocket) return askSocket(url + asking.path, said(headers));
  return ask(url + asking.path, {
    method,
    headers: said(headers),
    body: asking.body === undefined ? undefined : bodyText(asking.body),
  });
}

/** An empty one is left out: a role takes back so what its app says for all. */
export const said = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));

const bodyText = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body));

/** Differ from answer to answer, whatever they are about. */
const fleeting = new Set(['date', 'x-request-id', 'ratelimit', 'set-cookie']);

/** An answer without its request id, the time, and the id that was asked for. */
function plain({ status, headers, text }: Answer, id: string): string {
  const kept = headers.filter(([name]) => !fleeting.has(name)).map(([name, value]) => `${name}: ${value}`);
  return [status, ...kept, text].join('\n').replaceAll(id, '<id>').replaceAll(encodeURIComponent(id), '<id>');
}
