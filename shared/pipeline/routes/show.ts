/** A run, a list of runs, and the graph: JSON for programs, pages for people. Pages load when somebody looks. */
import type { Clock } from '../../clock';
import { Failure } from '../../failure';
import type { Handler } from '../../handler';
import { json, text } from '../../http/response';
import type { Engine } from '../engine';
import type { Pipeline } from '../pipeline';
import { listRuns } from './lists';

export interface ShowOptions {
  readonly pipeline: Pipeline;
  readonly engine: Engine;
  readonly clock: Clock;
  /** As the platform has it. */
  readonly production: boolean;
}

const HEADERS = { 'cache-control': 'no-store', vary: 'accept' };

/** The page shows the graph that the run was started with, and nothing of its input. */
export const showRun =
  ({ pipeline: { name }, engine, clock, production }: ShowOptions): Handler =>
  async (request, { params }) => {
    const id = params.id as string;
    if (!accepts(request, 'text/html')) {
      const run = await engine.find(name, id);
      if (!run) throw new Failure('not_found');
      return json(run, { headers: HEADERS });
    }
    const { noRunPage, runPage } = await import('../../pages/run-page');
    const found = await engine.inspect(name, id);
    if (!found) return noRunPage();
    const { run, pipeline } = found;
    return runPage({ run, pipeline, production, now: clock.now() });
  };

/** For operators; the page takes the same parameters. */
export const browseRuns = ({ pipeline: { name }, engine }: ShowOptions): Handler => {
  const list = listRuns(name, engine);
  return async (request, context) => {
    const answer = await list(request, context);
    if (!accepts(request, 'text/html')) {
      answer.headers.set('vary', 'accept');
      return answer;
    }
    const [{ runListPage }, page, dead] = await Promise.all([
      import('../../pages/run-list-page'),
      answer.json() as ReturnType<Engine['list']>,
      engine.deadLetters({ pipeline: name, limit: MOST_DEAD }),
    ]);
    return runListPage({
      ...page,
      pipeline: name,
      query: new URL(request.url).searchParams,
      deadLetters: { count: dead.deadLetters.length, more: dead.next !== undefined },
    });
  };
};

/** Beyond it they are not counted. */
const MOST_DEAD = 500;

/** For operators: the graph of now as SVG, as Mermaid, or as data. */
export const showGraph =
  ({ pipeline }: ShowOptions): Handler =>
  async (request) => {
    if (accepts(request, 'image/svg+xml') || accepts(request, 'text/html'))
      return (await import('../../pages/run-graph-file')).graphFile(pipeline);
    if (!accepts(request, 'text/plain')) return json(pipeline, { headers: HEADERS });
    const { drawMermaid } = await import('../draw/mermaid');
    return text(drawMermaid(pipeline), { headers: HEADERS });
  };

/** Named outright: whoever takes anything is a program. */
const accepts = (request: Request, type: string): boolean =>
  (request.headers.get('accept') ?? '').toLowerCase().includes(type);
