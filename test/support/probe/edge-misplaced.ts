import { defineFunction } from '../../../shared/define';
import { edgeHandler } from '../../../shared/hosts/edge';
import { empty } from '../../../shared/http/response';

export default edgeHandler(
  defineFunction({
    name: 'probe-misplaced',
    kind: 'serving',
    summary: 'Is for Node alone.',
    runsAt: ['node'],
    callers: 'public',
    body: { mode: 'stream' },
    config: {},
    routes: { '* /*': { summary: 'Nothing.' } },
    create: () => ({ '* /*': () => empty() }),
  }),
);
