import { Server } from 'node:net';
import { routesOf } from './express-routes.ts';

/**
 * Imported into a process before its `main.ts` (`node --import`), so that it prints the routes of the very app that it listens with: wired
 * by `main.ts` itself, whatever a test would have wired.
 */
// oxlint-disable-next-line typescript/unbound-method -- called with its own server below.
const { listen } = Server.prototype;
Server.prototype.listen = function (this: Server, ...args: unknown[]) {
  const app = this.listeners('request').find((listener) => 'router' in listener);
  if (app) console.log(JSON.stringify({ msg: 'routes', routes: routesOf(app) }));
  return Reflect.apply(listen, this, args) as Server;
};
