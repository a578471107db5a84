/** The address of a payee's page. */
export const payoutLinkUrl = (publicUrl: string, token: string): string =>
  `${publicUrl}/payout-links/${token}`;
