import type { Installation } from './installation.ts';

export interface Payee {
  readonly chatId: number;
  readonly phone: string;
  readonly name: string;
}

/** As the sandbox's people are: phones in a row, and chats of their nine digits. */
export const payees = (count: number): readonly Payee[] =>
  Array.from({ length: count }, (_, i) => ({
    chatId: 901_200_000 + i,
    phone: `+998${String(901_200_000 + i)}`,
    name: `Aliyev Vali${i}`,
  }));

/** What a person's chat or phone was sent. */
export async function heardBy({ sandboxUrl }: Pick<Installation, 'sandboxUrl'>, to: string | number) {
  const answer = await fetch(`${sandboxUrl}/inbox.json?to=${encodeURIComponent(String(to))}`);
  const all = (await answer.json()) as { text: string }[];
  return all.map(({ text }) => text);
}
