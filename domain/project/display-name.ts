/**
 * What a name looks like, so that two that a person may take for each other have one skeleton. Letters that look alike in Latin,
 * Cyrillic and Greek count as one, and so do case, accents, digits that stand for letters, and whatever lies between letters.
 * After Unicode's UTS #39, for the three scripts that this country's people read.
 */
export function nameSkeleton(name: string): string {
  const bare = (text: string) => text.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  const latin = Array.from(bare(name), (letter) => likeLatin.get(letter) ?? letter).join('');
  // Again once it is small: a large letter may look like another one than its small form does.
  const small = Array.from(bare(latin.toLowerCase()), (letter) => likeLatin.get(letter) ?? letter).join('');
  return small
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('cl', 'd');
}

/** Letters and signs of other alphabets under the Latin one that they look like; `l` stands for all that is one stroke. */
const alike: Readonly<Record<string, string>> = {
  a: 'АаΑαɑ4@',
  b: 'БбВвΒЬьЪъßβ68',
  c: 'СсϹϲᴄ¢',
  d: 'ԁԂ',
  e: 'ЕеΕεЭэЄєɛ3€',
  f: 'Ғғƒ',
  g: 'ԌɡƓց9',
  h: 'НнΗһҺҲҳԊ',
  j: 'ЈјϳȷJ',
  k: 'КкΚκҚқĸ',
  l: 'ІіΙιӀӏIiİıĺ1|ｌ!ǀ',
  m: 'МмΜṃ',
  n: 'ΝИиПпηΠπո',
  o: 'ОоΟοσØø0Өөօ',
  p: 'РрΡρ',
  q: 'Ԛԛ',
  r: 'Гг',
  s: 'Ѕѕ5$',
  t: 'ТтΤτ7',
  u: 'υսԱЏџ',
  v: 'ѴѵνⅤ',
  w: 'ШшЩщωԜԝѡ',
  x: 'ХхΧχ×',
  y: 'УуΥγЎўҮү',
  z: 'ΖᴢƵƶ2',
};
const likeLatin = new Map(
  Object.entries(alike).flatMap(([latin, letters]) =>
    Array.from(letters, (letter) => [letter, latin] as const),
  ),
);

/** Navbat's own name, as it is written in both alphabets of this country. */
const reserved = ['navbat', 'навбат'].map(nameSkeleton);

/** A run of letters, with the marks and digits among them. */
const wordOf = /[\p{L}\p{M}\p{N}]+/gu;
/** Letters and marks that belong to no alphabet, such as the ʻ of Oʻzbekiston, digits, and one of the three alphabets. */
const ofOneAlphabet = ['Latin', 'Cyrillic', 'Greek'].map(
  (script) => new RegExp(`^[\\p{Script=${script}}\\p{Script=Common}\\p{Script=Inherited}\\p{N}]+$`, 'u'),
);

/**
 * Is each word written in one alphabet, and in one that this country reads? No table of look-alikes is whole; a letter of
 * another alphabet within a word is how most of them are made.
 */
export const isOfOneAlphabet = (name: string): boolean =>
  (name.normalize('NFKC').match(wordOf) ?? []).every((word) => ofOneAlphabet.some((one) => one.test(word)));

/** Does it read as Navbat's own, in whole or in part ("Navbat Support")? Then only staff give it. */
export const isReservedName = (name: string): boolean => {
  const skeleton = nameSkeleton(name);
  return skeleton === '' || reserved.some((one) => skeleton.includes(one));
};
