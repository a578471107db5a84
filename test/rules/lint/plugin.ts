import { noClockRead } from './clock-rule.ts';
import { allowedEdges } from './edges-rule.ts';

/** The lint rules of this house. */
export default {
  meta: { name: 'navbat' },
  rules: { 'no-clock-read': noClockRead, 'allowed-edges': allowedEdges },
};
