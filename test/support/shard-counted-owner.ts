/** The function shard-owner on the node host, with a note of each request that reaches it, refused or not: at its end, a line each. */
import { writeFileSync } from 'node:fs';
import declaration from '../../functions/shard-owner';
import type { AnyFunction } from '../../shared/define';
import { runNode } from '../../shared/hosts/node';

const arrivals: string[] = [];

const counted: AnyFunction = {
  ...declaration,
  create: (config, platform) => {
    const { '* /*': decorated } = declaration.create(config as never, platform);
    return {
      '* /*': (request, context) => {
        arrivals.push(request.headers.get('x-call') ?? '');
        return decorated(request, context);
      },
    };
  },
};

process.once('exit', () => writeFileSync(process.env.ARRIVALS as string, arrivals.join('\n')));
void runNode({ 'shard-owner': async () => ({ default: counted }) });
