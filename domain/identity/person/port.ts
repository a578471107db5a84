/** People, for contexts that send to them or let them in. */
export type { Destinations } from './destinations.ts';
export type { PersonId } from './person.ts';
export type { Persons } from './persons.ts';
export type { AccessTokens, PhoneUsers } from './phone-user.ts';
