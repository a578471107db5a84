/** The sandbox's phones and gateways, in a process of its own: it is killed and started again while they share. */
export const trafficSandbox = {
  port: 'SANDBOX_TRAFFIC_PORT',
  name: 'traffic',
  command: ['apps/sandbox/earn/traffic/main.ts'],
} as const;
