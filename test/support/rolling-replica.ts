/**
 * A replica for tests of restarts: add-defaults before its echo, and create-user, on the node host. It notes each request
 * that reaches a handler, and at its end writes them down, a line each: the call that its client named.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import addDefaults from '../../functions/add-defaults';
import createUser from '../../functions/create-user';
import type { AnyFunction } from '../../shared/define';
import type { Handler } from '../../shared/handler';
import { runNode } from '../../shared/hosts/node';

const arrivals: string[] = [];

/** Counted, and where its client says so in `x-wait` only so many ms later. */
const counted =
  (next: Handler): Handler =>
  (request, context) => {
    arrivals.push(request.headers.get('x-call') ?? '');
    const wait = request.headers.get('x-wait');
    return wait === null
      ? next(request, context)
      : sleep(Number(wait)).then(() => next(request, context));
  };

const countedFunction = (declaration: AnyFunction): AnyFunction => ({
  ...declaration,
  create: (config, platform) =>
    Object.fromEntries(
      Object.entries(declaration.create(config as never, platform)).map(([route, handler]) => [
        route,
        counted(handler as Handler),
      ]),
    ),
});

process.once('exit', () =>
  writeFileSync(`${process.env.ARRIVALS}-${process.pid}`, arrivals.map((id) => `${id}\n`).join('')),
);
void runNode({
  'add-defaults': async () => ({ default: countedFunction(addDefaults as AnyFunction) }),
  'create-user': async () => ({ default: countedFunction(createUser as AnyFunction) }),
});
