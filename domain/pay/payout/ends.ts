/** Why a payout ended as it did, for whoever asked for it. */
interface EndWords {
  readonly meaning: string;
  readonly nextStep: string;
}

const askAgain = 'Ask again; the money is back where it was.';

const words: Readonly<Record<string, EndWords>> = {
  'by-person': { meaning: 'Its person cancelled it.', nextStep: askAgain },
  'by-staff': {
    meaning: 'Staff of finance cancelled it.',
    nextStep: 'Ask staff of finance why; the money is back where it was.',
  },
  'by-key': { meaning: 'It was cancelled with an API key.', nextStep: askAgain },
  expired: {
    meaning: 'Nobody confirmed it, or bound a card, in time.',
    nextStep: 'Ask again, and answer on the device or by the link in time; the money is back where it was.',
  },
  denied: { meaning: 'Its person said no on their device.', nextStep: askAgain },
  reported: {
    meaning: 'Its person said on their device that it was not they who asked.',
    nextStep: 'The person ends all their sessions and looks at who asked.',
  },
  mismatched: {
    meaning: 'The number that was typed on the device is not the one that was shown.',
    nextStep: askAgain,
  },
  'rail-refused-card': {
    meaning: 'The rail takes no money for this card.',
    nextStep: 'Bind another card, and ask again; the money is back where it was.',
  },
  'rail-refused-fields': {
    meaning: 'The rail refused what it was told of the payment.',
    nextStep: 'Ask staff of finance; the money is back where it was.',
  },
  'rail-refused-limit': {
    meaning: 'The payment is above what the card or the rail takes.',
    nextStep: 'Ask for less, or bind another card; the money is back where it was.',
  },
  'rail-error': { meaning: 'The rail could not pay it.', nextStep: askAgain },
  'by-hand': {
    meaning: 'The rail could not say what became of it, and two people of finance have found out.',
    nextStep: 'Ask staff of finance for what they found.',
  },
};

/** A reason of another version has no meaning here. */
export const endOf = (reason: string | null) => {
  const known = reason === null ? undefined : words[reason];
  return { reason, reason_detail: known?.meaning ?? null, next_step: known?.nextStep ?? null };
};
