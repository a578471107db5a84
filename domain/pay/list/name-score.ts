import { distance } from 'fastest-levenshtein';

/** Below this the approver sees the payment in the risk panel. */
export const NAME_SCORE_DOUBTFUL = 80;

/** Uzbek and Russian Cyrillic as passports and banks write it in Latin. What varies between them is folded further down. */
const LATIN: Readonly<Record<string, string>> = {
  а: 'a', б: 'b', в: 'v', г: 'g', д: 'd', е: 'e', ё: 'yo', ж: 'j', з: 'z', и: 'i', й: 'y', к: 'k', л: 'l', м: 'm', н: 'n', о: 'o', п: 'p',
  р: 'r', с: 's', т: 't', у: 'u', ф: 'f', х: 'h', ц: 'ts', ч: 'ch', ш: 'sh', щ: 'sh', ъ: '', ы: 'i', ь: '', э: 'e', ю: 'yu', я: 'ya',
  ў: 'o', қ: 'k', ғ: 'g', ҳ: 'h',
}; // prettier-ignore

/** Spellings of one sound, each in its order: Xasan, Khasan and Hasan; Jamshid, Zhamshid and Djamshid; Yusuf and Iusuf. */
const SAME: readonly (readonly [RegExp, string])[] = [
  [/kh|x/g, 'h'],
  [/q/g, 'k'],
  [/dzh|zh|dj/g, 'j'],
  [/shch/g, 'sh'],
  [/gh/g, 'g'],
  [/w/g, 'v'],
  [/ts/g, 's'],
  [/[yi]([aou])/g, 'y$1'],
  // Семёнов is Semyonov and Semenov; Yoqub stays.
  [/(?<=[^aeiouy])yo/g, 'e'],
  [/ye/g, 'e'],
  [/iy|yi|ii|y(?![aou])/g, 'i'],
  [/(.)\1+/g, '$1'],
];

/** Said behind a father's name: son and daughter. Cards leave the father's name out. */
const KINSHIP = new Set(['ogli', 'ugli', 'ogly', 'kizi', 'kzi', 'uli']);

/** The parts of a name as they sound, in Latin: without case, apostrophes and signs. */
function partsOf(name: string): readonly string[] {
  const plain = name
    .normalize('NFKD')
    // Cyrillic й and ў are letters, not и and у with a mark.
    .replaceAll(/и\u0306/giu, 'й')
    .replaceAll(/у\u0306/giu, 'ў')
    .replaceAll(/е\u0308/giu, 'ё')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[\u02BB\u02BC\u2018\u2019'`´]/gu, '');
  const latin = plain.replaceAll(/[а-яёўқғҳ]/gu, (letter) => LATIN[letter] ?? '');
  return latin
    .split(/[^a-z]+/)
    .map((part) => SAME.reduce((text, [from, to]) => text.replaceAll(from, to), part))
    .filter((part) => part !== '' && !KINSHIP.has(part));
}

/** An initial says little: `A.` is every tenth name. */
const INITIAL_LIKENESS = 0.75;
/** More parts than a name has: a text made to look alike. */
const PARTS_MAX = 6;

/** 0 to 1: how much alike two parts sound. */
function likeness(one: string, other: string): number {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  if (short.length === 1) return long.startsWith(short) ? (long.length === 1 ? 1 : INITIAL_LIKENESS) : 0;
  const vowels = Math.min(
    distance(heard(one, 'a'), heard(other, 'a')),
    distance(heard(one, 'u'), heard(other, 'u')),
  );
  return Math.max(0, 1 - (distance(consonants(one), consonants(other)) + vowels) / (long.length * 0.75));
}

const consonants = (part: string) => part.replaceAll(/[aeiouy]/g, '');
/** Oʻ is heard as a or as u: Babur is Bobur, Utkir is Oʻtkir. Hasan is not Husan. */
const heard = (part: string, as: 'a' | 'u') => part.replaceAll('o', as);

/**
 * How well the name on a card fits the name in the list: 0 to 100. Either may be Cyrillic or Latin, in any order, with initials, without a
 * father's name. Each part of the shorter name is held against another of the longer one, and the least alike weighs most: one right first
 * name is no proof.
 */
export function nameScore(listed: string, onCard: string): number {
  const [few, many] = [partsOf(listed), partsOf(onCard)].toSorted((a, b) => a.length - b.length) as [
    readonly string[],
    readonly string[],
  ];
  if (few.length === 0 || many.length > PARTS_MAX) return 0;
  const likenesses = bestPairs(few, many);
  const least = Math.min(...likenesses);
  const mean = likenesses.reduce((sum, each) => sum + each, 0) / likenesses.length;
  const alone = few.length === 1 && many.length > 1 ? ONE_PART_MAX : 1;
  return Math.round(100 * Math.min(alone, (least * 2 + mean) / 3));
}

/** A single name against a whole one. */
const ONE_PART_MAX = 0.6;

/** For each part of the shorter name how alike its partner is, paired for the best sum. At most 720 pairings. */
function bestPairs(few: readonly string[], many: readonly string[]): readonly number[] {
  const [first, ...rest] = few;
  if (first === undefined) return [];
  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);
  return many
    .map((partner, index) => [likeness(first, partner), ...bestPairs(rest, many.toSpliced(index, 1))])
    .reduce((best, each) => (sum(each) > sum(best) ? each : best));
}
