/** The sandbox's Multicard, in a process of its own: it is killed and started again while payments are under way. */
export const multicardSandbox = {
  port: 'SANDBOX_MULTICARD_PORT',
  name: 'multicard',
  command: ['apps/sandbox/pay/multicard/main.ts'],
} as const;
