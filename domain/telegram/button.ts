/** Somebody pressed a button under a message of the bot. */
export interface ButtonPress {
  readonly queryId: string;
  /** Telegram's id of whoever pressed it; in a private chat the chat has the same. */
  readonly userId: number;
  /** Null where Telegram names no message, or the button carries no data. */
  readonly under: { readonly chatId: number; readonly messageId: number; readonly data: string } | null;
}

export interface ButtonPresses {
  /** Tells the project that sent the message, once, where it wants to hear of it. False: no project sent it with such a button. */
  tell(press: ButtonPress, now: Date): Promise<boolean>;
}
