/** The work of the peers as a function of the suite, without the strictness of add-defaults: what the host itself costs. */
import { defineFunction } from '../../shared/define';
import { runNode } from '../../shared/hosts/node';
import { readBytes } from '../../shared/http/body';
import { json } from '../../shared/http/response';
import { complete } from './complete.cjs';

const sameWork = defineFunction({
  name: 'same-work',
  kind: 'decorator',
  summary: 'Parses, puts in what is missing, and answers.',
  runsAt: ['node'],
  callers: 'public',
  body: { mode: 'json' },
  config: {},
  routes: { 'POST /': { summary: 'Completes an order.' } },
  create: () => ({
    'POST /': async (request, { path }) => {
      const headers = {
        'content-type': request.headers.get('content-type'),
        'content-length': request.headers.get('content-length'),
      };
      const body = JSON.parse(Buffer.from(await readBytes(request)).toString());
      return json(complete(request.method, path, headers, body));
    },
  }),
});

void runNode({ 'same-work': async () => ({ default: sameWork }) });
