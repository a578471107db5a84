/** Where Multicard tells of payments. It is agreed with them for the account, once. */
export const MULTICARD_PAYMENTS_PATH = '/callbacks/multicard/payments';

/** Where a card form of Multicard tells that it is over, with a token of that binding as `?token=`. */
export const multicardBindingPath = (bindingId: string): string =>
  `/callbacks/multicard/bindings/${bindingId}`;
